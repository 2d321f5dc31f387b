#include "workloads/llm/model.h"

#include "workloads/llm/numerics.h"

namespace npu::llm {

std::string_view name_of(WeightFormat format) {
  switch (format) {
    case WeightFormat::kFloat32:
      return "float32";
    case WeightFormat::kQ8:
      return "q8_0";
    case WeightFormat::kQ4:
      return "q4_0";
  }
  return "?";
}

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "float32";
    case Precision::kFloat16:
      return "float16";
    case Precision::kBfloat16:
      return "bfloat16";
  }
  return "?";
}

std::string_view name_of(CacheType type) {
  switch (type) {
    case CacheType::kFloat32:
      return "float32";
    case CacheType::kFloat16:
      return "float16";
    case CacheType::kBfloat16:
      return "bfloat16";
    case CacheType::kInt8:
      return "int8";
  }
  return "?";
}

std::int64_t Matrix::row_bytes() const {
  switch (format) {
    case WeightFormat::kFloat32:
      return 4 * columns;
    case WeightFormat::kQ8:
      return columns;
    case WeightFormat::kQ4:
      return (columns + 1) / 2;
  }
  return 0;
}

}  // namespace npu::llm
