import ctypes as c, sys
len(sys.argv) == 3 or sys.exit("usage: python3 classify.py MODEL PICTURE")
mlp, error = c.CDLL("libmlp.so.1"), c.create_string_buffer(1024)
mlp.mlp_open.restype, mlp.mlp_class_name.restype = c.c_void_p, c.c_char_p
mlp.mlp_prepare_file.restype = mlp.mlp_classify.restype = c.c_bool
model = c.c_void_p(mlp.mlp_open(sys.argv[1].encode(), error)) or sys.exit(error.value.decode())
image, p = c.create_string_buffer(mlp.mlp_rows(model) * mlp.mlp_cols(model)), (c.c_float * mlp.mlp_classes(model))()
mlp.mlp_prepare_file(model, sys.argv[2].encode(), image, None, error) or sys.exit(error.value.decode())
mlp.mlp_classify(model, image, c.c_size_t(1), p, None, error) or sys.exit(error.value.decode())
k = max(range(len(p)), key=lambda k: p[k])
print(f"{mlp.mlp_class_name(model, c.c_size_t(k)).decode()}\t{p[k]:.9g}")
