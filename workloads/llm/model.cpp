#include "workloads/llm/model.h"

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
