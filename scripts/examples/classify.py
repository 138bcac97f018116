import ctypes, sys  # python3 classify.py MODEL PICTURE

mlp, error = ctypes.CDLL("libmlp.so.0"), ctypes.create_string_buffer(1024)
mlp.mlp_open.restype, mlp.mlp_class_name.restype = ctypes.c_void_p, ctypes.c_char_p
mlp.mlp_prepare_file.restype = mlp.mlp_classify.restype = ctypes.c_bool
model = ctypes.c_void_p(mlp.mlp_open(sys.argv[1].encode(), error)) or sys.exit(error.value.decode())
image = ctypes.create_string_buffer(mlp.mlp_rows(model) * mlp.mlp_cols(model))
p, n = (ctypes.c_float * mlp.mlp_classes(model))(), ctypes.c_size_t(1)
if not (mlp.mlp_prepare_file(model, sys.argv[2].encode(), image, None, error)
        and mlp.mlp_classify(model, image, n, p, None, error)):
    sys.exit(error.value.decode())
k = max(range(len(p)), key=lambda k: p[k])
print(f"{mlp.mlp_class_name(model, ctypes.c_size_t(k)).decode()}\t{p[k]:.9g}")
