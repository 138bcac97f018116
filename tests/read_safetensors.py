"""An independent reader of the model file: the published rules of safetensors, standard library only.

Usage: read_safetensors.py MODEL. Prints the tensors; any broken rule is an exception.
"""
import json
import struct
import sys
import zlib

raw = open(sys.argv[1], "rb").read()
(length,) = struct.unpack_from("<Q", raw)
assert length <= 100_000_000 and 8 + length <= len(raw) and (8 + length) % 8 == 0


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), keys
    return dict(pairs)


text = raw[8 : 8 + length].decode("utf-8")
assert text.startswith("{")
header = json.loads(text, object_pairs_hook=no_duplicates)
data = raw[8 + length :]

metadata = header.pop("__metadata__")
assert all(isinstance(v, str) for v in metadata.values())
assert list(metadata) == sorted(metadata) and list(header) == sorted(header)

end = 0
for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    assert set(tensor) == {"dtype", "shape", "data_offsets"} and tensor["dtype"] == "F32"
    first, last = tensor["data_offsets"]
    count = 1
    for size in tensor["shape"]:
        count *= size
    assert first == end and last - first == 4 * count, name
    end = last
    values = struct.unpack_from("<%df" % count, data, first)
    assert all(v == v and abs(v) < float("inf") for v in values), name
    print(name, tensor["shape"])
assert end == len(data)

digits = metadata["checksum_crc32"].encode()
key = raw.index(b'"checksum_crc32":"') + len(b'"checksum_crc32":"')
assert raw[key : key + 8] == digits
assert b"%08x" % zlib.crc32(raw[:key] + b"0" * 8 + raw[key + 8 :]) == digits
