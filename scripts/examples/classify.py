import ctypes, sys  # python3 classify.py MODEL PICTURE

mlp, error = ctypes.CDLL("libmlp.so.0"), ctypes.create_string_buffer(1024)
mlp.mlp_open.restype, mlp.mlp_class_name.restype = ctypes.c_void_p, ctypes.c_char_p
mlp.mlp_prepare_file.restype = mlp.mlp_classify.restype = ctypes.c_bool
model = ctypes.c_void_p(mlp.mlp_open(sys.argv[1].encode(), error))
image = ctypes.create_string_buffer(mlp.mlp_rows(model) * mlp.mlp_cols(model) if model else 1)
p, one = (ctypes.c_float * 256)(), ctypes.c_size_t(1)
if not (model and mlp.mlp_prepare_file(model, sys.argv[2].encode(), image, None, error) and
        mlp.mlp_classify(model, image, one, p, None, error)):
    sys.exit(error.value.decode())
best = max(range(mlp.mlp_classes(model)), key=lambda k: p[k])
print(mlp.mlp_class_name(model, ctypes.c_size_t(best)).decode(), p[best])
