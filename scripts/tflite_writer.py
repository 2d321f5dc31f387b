"""Writes quantized TFLite models with the FlatBuffers runtime alone.

Only what a feed-forward int8 network needs. A table is given as {field id: value}; the value's
wrapper (I8, I32, Offset, ...) says how the field is stored. Field ids, operator numbers and option
tables are those of the public TFLite schema (version 3).
"""

import dataclasses

import flatbuffers
import numpy as np

TENSOR_TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int8": 9, "int16": 7}
OPERATORS = {
    "AVERAGE_POOL_2D": 1,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 4,
    "FULLY_CONNECTED": 9,
    "MAX_POOL_2D": 17,
    "RESHAPE": 22,
    "SOFTMAX": 25,
}
OPTION_TABLES = {"Conv2D": 1, "DepthwiseConv2D": 2, "Pool2D": 5, "FullyConnected": 8, "Softmax": 9,
                 "Reshape": 17}
PADDING_SAME, PADDING_VALID = 0, 1
ACTIVATION_NONE, ACTIVATION_RELU = 0, 1


@dataclasses.dataclass
class I8:
    value: int


@dataclasses.dataclass
class I32:
    value: int


@dataclasses.dataclass
class U32:
    value: int


@dataclasses.dataclass
class F32:
    value: float


@dataclasses.dataclass
class Offset:
    value: int


@dataclasses.dataclass
class Tensor:
    """A tensor of the network; `data` makes it a constant."""

    name: str
    shape: tuple
    dtype: str
    scale: list
    zero_point: list
    axis: int = 0
    data: np.ndarray | None = None


@dataclasses.dataclass
class Operator:
    """`options` is (option table name, {field id: wrapped value})."""

    name: str
    inputs: list
    outputs: list
    options: tuple | None = None


class Writer:
    def __init__(self):
        self.builder = flatbuffers.Builder(1 << 16)

    def table(self, fields):
        b = self.builder
        b.StartObject(max(fields) + 1 if fields else 0)
        for slot, field in fields.items():
            if isinstance(field, Offset):
                b.PrependUOffsetTRelativeSlot(slot, field.value, 0)
            elif isinstance(field, I8):
                b.PrependInt8Slot(slot, field.value, 0)
            elif isinstance(field, I32):
                b.PrependInt32Slot(slot, field.value, 0)
            elif isinstance(field, U32):
                b.PrependUint32Slot(slot, field.value, 0)
            elif isinstance(field, F32):
                b.PrependFloat32Slot(slot, field.value, 0.0)
            else:
                raise TypeError(f"field {slot}: {field!r}")
        return b.EndObject()

    def string(self, text):
        return Offset(self.builder.CreateString(text))

    def numbers(self, values, dtype):
        return Offset(self.builder.CreateNumpyVector(np.asarray(values, dtype=dtype)))

    def offsets(self, tables):
        b = self.builder
        b.StartVector(4, len(tables), 4)
        for table in reversed(tables):
            b.PrependUOffsetTRelative(table)
        return Offset(b.EndVector())

    def payload(self, data):
        """A byte vector aligned to 16, as the format asks for tensor data."""
        b = self.builder
        raw = data.tobytes()
        b.StartVector(1, len(raw), 16)
        b.head -= len(raw)
        b.Bytes[b.head : b.head + len(raw)] = raw
        return Offset(b.EndVector())

    def tensor(self, tensor, buffer):
        shape = self.numbers(tensor.shape, np.int32)
        name = self.string(tensor.name)
        scale = self.numbers(tensor.scale, np.float32)
        zero_point = self.numbers(tensor.zero_point, np.int64)
        quantization = self.table({2: scale, 3: zero_point, 6: I32(tensor.axis)})
        return self.table({0: shape, 1: I8(TENSOR_TYPES[tensor.dtype]), 2: U32(buffer), 3: name,
                           4: Offset(quantization)})

    def operator(self, operator, opcode_index):
        inputs = self.numbers(operator.inputs, np.int32)
        outputs = self.numbers(operator.outputs, np.int32)
        fields = {0: U32(opcode_index), 1: inputs, 2: outputs}
        if operator.options is not None:
            name, options = operator.options
            fields[3] = I8(OPTION_TABLES[name])
            fields[4] = Offset(self.table(options))
        return self.table(fields)


def write(path, tensors, operators, inputs, outputs, description):
    """Writes the network: lists of Tensor and Operator, indices of graph inputs and outputs."""
    w = Writer()
    buffers = [w.table({})]
    tensor_tables = []
    for tensor in tensors:
        index = 0
        if tensor.data is not None:
            index = len(buffers)
            buffers.append(w.table({0: w.payload(tensor.data)}))
        tensor_tables.append(w.tensor(tensor, index))
    names = sorted({op.name for op in operators}, key=OPERATORS.get)
    codes = [w.table({0: I8(OPERATORS[n]), 2: I32(1), 3: I32(OPERATORS[n])}) for n in names]
    operator_tables = [w.operator(op, names.index(op.name)) for op in operators]
    subgraph = w.table({0: w.offsets(tensor_tables), 1: w.numbers(inputs, np.int32),
                        2: w.numbers(outputs, np.int32), 3: w.offsets(operator_tables),
                        4: w.string("main")})
    model = w.table({0: U32(3), 1: w.offsets(codes), 2: w.offsets([subgraph]),
                     3: w.string(description), 4: w.offsets(buffers)})
    w.builder.Finish(model, file_identifier=b"TFL3")
    with open(path, "wb") as file:
        file.write(bytes(w.builder.Output()))
