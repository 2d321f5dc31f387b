// The file as a whole, operator codes, tensors and their bytes.

#include "tests/unit/importers/raw_model.h"

namespace npu::test {
namespace {

using graph::OpKind;
using schema::TensorType;

RawModel relu() {
  RawModel m;
  m.code(19).input({1, 4}).output({1, 4});
  return m;
}

void refuse_bytes(const std::string& bytes, const std::string& part) {
  EXPECT_THAT([&] { (void)importers::parse_tflite(bytes, "x"); },
              testing::ThrowsMessage<Error>(testing::HasSubstr(part)));
}

TEST(Container, Header) {
  const std::string good = pack(relu().model);
  EXPECT_NO_THROW((void)importers::parse_tflite(good, "x"));
  refuse_bytes("", "x: offset 0: too short for a TFLite model, got 0 bytes");
  refuse_bytes(good.substr(0, 7), "too short for a TFLite model, got 7 bytes");
  std::string other = good;
  other[4] = 'X';
  refuse_bytes(other, "x: offset 4: not a TFLite model, `TFL3` is missing");
  refuse_bytes(good.substr(0, good.size() / 2), "damaged FlatBuffer");
}

TEST(Container, BytesMayLieAnywhereInMemory) {
  const std::string good = pack(relu().model);
  const graph::Graph expected = importers::parse_tflite(good, "x");
  for (std::size_t shift = 1; shift < 8; ++shift) {
    const std::string shifted = std::string(shift, ' ') + good;
    const std::string_view view = std::string_view(shifted).substr(shift);
    EXPECT_EQ(importers::parse_tflite(view, "x"), expected);
  }
}

TEST(Container, FilesThatCannotBeRead) {
  EXPECT_THAT([] { (void)importers::load_tflite("/nonexistent/model.tflite"); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("/nonexistent/model.tflite")));
}

TEST(Container, VersionAndSubgraphs) {
  RawModel m = relu();
  m.model.version = 2;
  m.refused("schema version must be 3, got 2");
  m = relu();
  m.model.subgraphs.clear();
  m.refused("the model has no subgraph");
  m = relu();
  m.model.buffers[0]->data = {1, 2};
  m.refused("buffer 0 must be empty, got 2 bytes");
  EXPECT_EQ(relu().import().name, "main");
  m = relu();
  m.subgraph().name = "net";
  EXPECT_EQ(m.import().name, "net");
}

TEST(OperatorCodes, OldFilesHaveTheByteOnly) {
  RawModel m = relu();
  m.model.operator_codes[0]->code = 0;
  EXPECT_EQ(m.import().nodes[0].kind, OpKind::kRelu);
  m.model.operator_codes[0]->legacy_code = 127;
  m.model.operator_codes[0]->code = 0;
  m.refused("operator code #0: no operator has the number 127");
  m.model.operator_codes[0]->code = 210;
  m.refused("no operator has the number 210");
  m.model.operator_codes[0]->legacy_code = -1;
  m.refused("operator code #0: must not be negative, got -1");
  m = relu();
  m.op().opcode_index = 1;
  m.refused("operator #0: operator code 1 is out of range, the model has 1");
}

TEST(OperatorCodes, UnsupportedOperatorsAreNamedWithTheirAttributes) {
  RawModel m;
  schema::ResizeBilinearOptionsT resize;
  resize.half_pixel_centers = true;
  m.code(23).input({1, 2, 2, 1}).integers({4, 4}).output({1, 4, 4, 1}).options(resize);
  m.refused(
      "operator #0 RESIZE_BILINEAR is not supported: { half_pixel_centers: true }, "
      "INT8[1,2,2,1], INT32[2] to INT8[1,4,4,1]");
  m = relu();
  m.code(150);
  m.refused("operator #0 GELU is not supported: no options, INT8[1,4] to INT8[1,4]");
  m.op().inputs = {-1, 0, 0, 0, 0, 0, 0, 0, 0};
  m.refused("none, INT8[1,4], INT8[1,4], INT8[1,4], INT8[1,4], INT8[1,4], INT8[1,4], INT8[1,4], …");
  m.op().inputs = {77};
  m.refused("no options, ? to INT8[1,4]");
  schema::SqueezeOptionsT squeeze;
  squeeze.squeeze_dims.assign(1000, 7);
  m.options(squeeze);
  m.refused("7, 7, …, ? to INT8[1,4]");
}

TEST(OperatorCodes, CustomOperatorsAreNamed) {
  RawModel m = relu();
  m.code(32);
  m.model.operator_codes[0]->custom_code = "Ethos\nU";
  m.op().custom_options = {1, 2, 3};
  m.refused("operator #0 CUSTOM `Ethos?U` is not supported: 3 bytes of custom options");
}

TEST(OperatorCodes, OptionsMustFit) {
  RawModel m = relu();
  m.options(schema::SoftmaxOptionsT());
  m.refused("operator #0 RELU: has the options of another operator, kind 9");
  m.code(25);
  m.op().builtin_options.Reset();
  m.refused("operator #0 SOFTMAX: its options are missing");
}

TEST(Tensors, Types) {
  for (const auto& [type, name] :
       {std::pair(TensorType::FLOAT16, "type 1 (FLOAT16) is not supported"),
        std::pair(TensorType::STRING, "type 5 (STRING) is not supported"),
        std::pair(static_cast<TensorType>(99), "type 99 () is not supported")}) {
    RawModel m = relu();
    m.tensor(1).type = type;
    m.refused(std::string("tensor #1 `t1`: ") + name);
  }
  RawModel m = relu();
  m.tensor(0).type = TensorType::INT4;
  m.refused("int4 is supported for constants only");
}

TEST(Tensors, Shapes) {
  RawModel m = relu();
  m.tensor(0).shape = {-1, 4};
  m.refused("tensor #0 `t0`: sizes must not be negative, got -1");
  m.tensor(0).shape = {65536, 32769};
  m.refused("tensor #0 `t0`: more than 2^31 bytes");
  m.tensor(0).shape = {1, 1, 1, 1, 1, 1, 1, 1, 4};
  m.refused("rank must be at most 8, got 9");
  m = relu();
  m.tensor(0).shape_signature = {-1, 4};
  EXPECT_NO_THROW((void)m.import()) << "a dynamic batch runs with its static size";
  m.tensor(0).shape_signature = {-1, 5};
  m.refused("shape [1,4] does not fit its signature, which has 5 at 1");
  m.tensor(0).shape_signature = {4};
  m.refused("shape of rank 2 with a signature of rank 1");
}

TEST(Tensors, Quantization) {
  RawModel m = relu();
  m.tensor(0).quantization->zero_point = {};
  EXPECT_EQ(m.import().tensors[0].quantization->zero_point, std::vector<std::int32_t>{0});
  m.tensor(0).quantization->zero_point = {1, 2};
  m.refused("2 zero points for 1 scales");
  m.tensor(0).quantization->zero_point = {std::int64_t{1} << 40};
  m.refused("zero point 1099511627776 is out of range");
  m.tensor(0).quantization->details.Set(schema::UnreadT());
  m.refused("custom, blockwise or multi-axis quantization is not supported");
  m.tensor(0).quantization.reset();
  m.refused("operator #0 RELU: tensor #0 `t0` int8[1,4] has no quantization");
  m = relu();
  m.tensor(1).sparsity = std::make_unique<schema::UnreadT>();
  m.refused("sparse tensors are not supported");
  m = relu();
  m.tensor(1).external_buffer = 1;
  m.refused("data in an external file is not supported");
}

/// x[1,4] times w[2,4].
RawModel fully_connected(TensorType type, std::vector<std::uint8_t> data) {
  RawModel m;
  m.code(9).input({1, 4}).constant(type, {2, 4}, std::move(data)).output({1, 2});
  m.tensor(1).quantization = std::make_unique<schema::QuantizationT>();
  m.tensor(1).quantization->scale = {0.1F};
  m.options(schema::FullyConnectedOptionsT());
  return m;
}

TEST(Tensors, SharedZeroPointAndBiasAxis) {
  RawModel m = fully_connected(TensorType::INT8, std::vector<std::uint8_t>(8));
  m.tensor(1).quantization->scale = {0.1F, 0.2F};
  m.tensor(1).quantization->zero_point = {0};
  m.integers({7, 8});
  m.tensor(3).quantization = std::make_unique<schema::QuantizationT>();
  m.tensor(3).quantization->scale = {0.05F, 0.1F};
  m.tensor(3).quantization->quantized_dimension = 3;
  const graph::Graph g = m.import();
  EXPECT_EQ(g.tensors[1].quantization->zero_point, (std::vector<std::int32_t>{0, 0}));
  EXPECT_EQ(g.tensors[3].quantization->axis, 0) << "a bias has one dimension";
}

TEST(Tensors, Int4IsUnpacked) {
  const RawModel m = fully_connected(TensorType::INT4, {0x21, 0x87, 0x0f, 0x40});
  const graph::Tensor w = m.import().tensors[1];
  EXPECT_EQ(w.type, DType::kInt8);
  const std::vector<int> expected = {1, 2, 7, -8, -1, 0, 0, 4};
  ASSERT_EQ(w.data.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(static_cast<std::int8_t>(w.data[i]), expected[i]) << i;
  }
  fully_connected(TensorType::INT4, {1, 2, 3}).refused("3 bytes of data, its shape needs 4");
}

TEST(Tensors, PayloadSizeAndPlace) {
  fully_connected(TensorType::INT8, {1, 2, 3}).refused("3 bytes of data, its shape needs 8");
  RawModel m = fully_connected(TensorType::INT8, std::vector<std::uint8_t>(8));
  m.tensor(1).buffer = 9;
  m.refused("tensor #1 `t1`: buffer 9 is out of range, the model has 2");
  m.tensor(1).buffer = 0;
  m.refused("is read before any operator writes it");

  // Bytes behind the FlatBuffer, as large files have them.
  m.tensor(1).buffer = 1;
  m.model.buffers[1]->data.clear();
  m.model.buffers[1]->offset = 1 << 20;  // Makes room for the real value.
  m.model.buffers[1]->size = 8;
  const std::size_t size = pack(m.model).size();
  m.model.buffers[1]->offset = size;
  std::string file = pack(m.model);
  ASSERT_EQ(file.size(), size);
  file += "abcdefgh";
  const graph::Graph g = importers::parse_tflite(file, "x");
  EXPECT_EQ(static_cast<char>(g.tensors[1].data.at(7)), 'h');
  file.pop_back();
  refuse_bytes(file, fmt::format("its 8 bytes at offset {} leave the file", size));
}

TEST(Tensors, NamesAreMadePrintable) {
  RawModel m = relu();
  m.tensor(0).name = "a\x01\xc3\xa4";
  m.tensor(1).name = std::string(5000, 'n');
  const graph::Graph g = m.import();
  EXPECT_EQ(g.tensors[0].name, "a???");
  EXPECT_EQ(g.tensors[1].name.size(), 200U);
}

TEST(Tensors, SharedPayloadsDoNotMultiplyMemory) {
  RawModel m = fully_connected(TensorType::INT8, std::vector<std::uint8_t>(1 << 16));
  m.tensor(1).shape = {256, 256};
  for (int i = 0; i < 100; ++i) {
    m.tensor(m.add(TensorType::INT8, {256, 256})).buffer = 1;
  }
  m.refused("the model needs more than 16 times the memory of its file");
}

TEST(Operators, Indices) {
  RawModel m = relu();
  m.op().inputs = {2};
  m.refused("operator #0 RELU: tensor index 2 is out of range, the graph has 2 tensors");
  m = relu();
  m.op().outputs = {-1};
  m.refused("operator #0 RELU: tensor index -1 is out of range");
  m = relu();
  m.op().inputs = {-1};
  m.refused("operator #0 RELU: input 0 is absent");
  m = relu();
  m.op().inputs = {0, 0};
  m.refused("operator #0 RELU: needs 1 to 1 inputs, got 2");
  m = relu();
  m.op().outputs = {};
  m.refused("operator #0 RELU: needs 1 outputs, got 0");
}

}  // namespace
}  // namespace npu::test
