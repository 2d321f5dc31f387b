#include "workloads/llm/checkpoint.h"

#include <gtest/gtest.h>

#include "tests/support/llm_files.h"
#include "tests/support/shared.h"
#include "tests/unit/base/expect_error.h"

namespace npu::llm {
namespace {

using test::bytes_of;
using test::float_checkpoint;
using test::LlmSizes;
using test::q8_checkpoint;

float float_of(const std::string& content, std::size_t index) {
  float value = 0;
  std::memcpy(&value, content.data() + 28 + 4 * index, 4);
  return value;
}

TEST(FloatCheckpoint, WeightsAreWhereTheFormatSays) {
  const std::string content = float_checkpoint({});  // dim 8, hidden 12, 2 layers, kv_dim 4.
  const Llama model = parse_checkpoint(bytes_of(content), "m.bin");
  EXPECT_EQ(model.config.head_dim(), 2);
  EXPECT_EQ(model.config.kv_dim(), 4);
  std::size_t at = 0;
  EXPECT_EQ(model.embedding.at(0, 0), float_of(content, at));
  EXPECT_EQ(model.embedding.at(261, 7), float_of(content, 262 * 8 - 1));
  at += 262 * 8;
  EXPECT_EQ(model.layers[1].attention_norm[0], float_of(content, at + 8));
  at += 16;
  EXPECT_EQ(model.layers[1].query.at(2, 3), float_of(content, at + 64 + 19));
  at += 128;
  EXPECT_EQ(model.layers[1].key.at(3, 7), float_of(content, at + 63));
  at += 64;
  EXPECT_EQ(model.layers[0].value.at(1, 0), float_of(content, at + 8));
  at += 64;
  EXPECT_EQ(model.layers[0].output.at(0, 1), float_of(content, at + 1));
  at += 128;
  EXPECT_EQ(model.layers[0].ffn_norm[7], float_of(content, at + 7));
  at += 16;
  EXPECT_EQ(model.layers[1].gate.at(11, 7), float_of(content, at + 191));
  at += 192;
  EXPECT_EQ(model.layers[1].down.at(7, 11), float_of(content, at + 191));
  at += 192;
  EXPECT_EQ(model.layers[1].up.at(0, 0), float_of(content, at + 96));
  at += 192;
  EXPECT_EQ(model.final_norm[7], float_of(content, at + 7));
  EXPECT_EQ(model.classifier.values.data(), model.embedding.values.data());
}

TEST(FloatCheckpoint, UnsharedClassifierIsLast) {
  LlmSizes sizes;
  sizes.shared_classifier = false;
  const std::string content = float_checkpoint(sizes);
  const Llama model = parse_checkpoint(bytes_of(content), "m.bin");
  EXPECT_FALSE(model.config.shared_classifier);
  EXPECT_EQ(model.config.vocabulary, 262);
  EXPECT_EQ(model.classifier.at(261, 7), float_of(content, (content.size() - 28) / 4 - 1));
}

TEST(Q8Checkpoint, ValuesAndScalesOfEachMatrixAreTogether) {
  const std::string content = q8_checkpoint({}, 4);
  const Llama model = parse_checkpoint(bytes_of(content), "m.bin");
  const std::size_t embedding = 256 + std::size_t{4} * 40;
  EXPECT_EQ(model.embedding.quantized(1, 2), static_cast<std::int8_t>(content[embedding + 10]));
  EXPECT_EQ(model.embedding.groups(), 2);
  float scale = 0;
  std::memcpy(&scale, content.data() + embedding + std::size_t{262} * 8 + std::size_t{4} * 3, 4);
  EXPECT_EQ(model.embedding.scale(1, 4), scale);
  EXPECT_EQ(model.embedding.at(1, 4), static_cast<float>(model.embedding.quantized(1, 4)) * scale);
  const std::size_t query1 = embedding + std::size_t{262} * 16 + 128;
  EXPECT_EQ(model.layers[1].query.quantized(0, 1), static_cast<std::int8_t>(content[query1 + 1]));
  EXPECT_EQ(model.layers[1].down.columns, 12);
  EXPECT_EQ(model.layers[1].down.groups(), 3);
}

TEST(Q8Checkpoint, UnsharedClassifierAndScalesAtAnyAlignment) {
  LlmSizes sizes{.dim = 6, .hidden_dim = 9, .heads = 3, .kv_heads = 1, .vocabulary = 259};
  sizes.shared_classifier = false;
  const std::string content = q8_checkpoint(sizes, 3);
  const Llama model = parse_checkpoint(bytes_of(content), "m.bin");
  float scale = 0;
  std::memcpy(&scale, content.data() + content.size() - 4, 4);
  EXPECT_EQ(model.classifier.scale(258, 5), scale);
}

TEST(Checkpoint, PublishedModels) {
  NPUSIM_REQUIRE_SHARED();
  const Llama model = read_checkpoint(test::shared_path("models/llm/stories260K.bin"));
  EXPECT_EQ(model.config.dim, 64);
  EXPECT_EQ(model.config.hidden_dim, 172);
  EXPECT_EQ(model.config.layers, 5);
  EXPECT_EQ(model.config.kv_heads, 4);
  EXPECT_TRUE(model.config.shared_classifier);
  const Llama q8 = read_checkpoint(test::shared_path("models/llm/stories260K_q80_gs4.bin"));
  EXPECT_EQ(q8.layers[4].down.group_size, 4);
  EXPECT_NEAR(q8.layers[4].down.at(3, 5), model.layers[4].down.at(3, 5), 0.005);
}

/// The error of a header whose int32 at `offset` is `value`.
std::string error_with(std::string content, std::size_t offset, std::int32_t value) {
  std::memcpy(content.data() + offset, &value, 4);
  return error_of([&] { (void)parse_checkpoint(bytes_of(content), "m.bin"); });
}

TEST(Checkpoint, ErrorsOfSizes) {
  const std::string good = float_checkpoint({});
  EXPECT_EQ(error_with(good, 0, 0), "m.bin: offset 0: dim must be 1 to 65536, got 0");
  EXPECT_EQ(error_with(good, 4, 1 << 30),
            "m.bin: offset 4: hidden_dim must be 1 to 262144, got 1073741824");
  EXPECT_EQ(error_with(good, 8, -1), "m.bin: offset 8: n_layers must be 1 to 1024, got -1");
  EXPECT_EQ(error_with(good, 20, 0), "m.bin: offset 20: vocab_size must be 1 to 4194304, got 0");
  EXPECT_EQ(error_with(good, 20, INT32_MIN),
            "m.bin: offset 20: vocab_size must be 1 to 4194304, got 2147483648");
  EXPECT_EQ(error_with(good, 12, 3), "m.bin: offset 0: n_heads 3 does not divide dim 8");
  EXPECT_EQ(error_with(good, 12, 8),
            "m.bin: offset 0: a head has 1 elements, rotary embedding needs pairs");
  EXPECT_EQ(error_with(good, 16, 3), "m.bin: offset 0: n_kv_heads 3 does not divide n_heads 4");
  EXPECT_EQ(error_with(good, 8, 1024),
            "m.bin: offset 28: the header describes 493616 weights, the file has 12540 bytes");
}

TEST(Checkpoint, ErrorsOfTheSecondVersion) {
  const std::string good = q8_checkpoint({}, 4);
  EXPECT_EQ(error_with(good, 4, 1),
            "m.bin: offset 4: version 1 of the format is not supported, 2 is");
  EXPECT_EQ(error_with(good, 36, 2), "m.bin: offset 36: shared classifier must be 0 or 1, got 2");
  EXPECT_EQ(error_with(good, 37, 0), "m.bin: offset 37: the group size must be 1 to 65536, got 0");
  EXPECT_EQ(error_with(good, 37, 8), "m.bin: offset 37: the group size 8 does not divide 12");
  EXPECT_EQ(error_with(good, 252, 1), "m.bin: offset 41: the rest of the header must be zero");
}

TEST(Checkpoint, ErrorsOfLength) {
  for (const std::string& good : {float_checkpoint({}), q8_checkpoint({}, 4)}) {
    const std::string longer = good + "x";
    EXPECT_EQ(error_of([&] { (void)parse_checkpoint(bytes_of(longer), "m.bin"); }),
              fmt::format("m.bin: offset {}: 1 bytes are left after the last weight", good.size()));
  }
  const std::string good = float_checkpoint({});
  const std::string shorter = good.substr(0, good.size() - 1);
  EXPECT_EQ(error_of([&] { (void)parse_checkpoint(bytes_of(shorter), "m.bin"); }),
            "m.bin: offset 12412: the table of angles takes 128 bytes, the file has 127 more");
  const std::string header = good.substr(0, 3);
  EXPECT_EQ(error_of([&] { (void)parse_checkpoint(bytes_of(header), "m.bin"); }),
            "m.bin: offset 0: the header takes 4 bytes, the file has 3 more");
}

}  // namespace
}  // namespace npu::llm
