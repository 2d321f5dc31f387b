#include "sim/config/sections.h"

namespace npu {

std::string_view name_of(ArrayKind kind) {
  return kind == ArrayKind::kSystolic ? "systolic" : "dot_product";
}

std::string_view name_of(Dataflow dataflow) {
  switch (dataflow) {
    case Dataflow::kWeightStationary:
      return "weight_stationary";
    case Dataflow::kOutputStationary:
      return "output_stationary";
    case Dataflow::kInputStationary:
      return "input_stationary";
  }
  return "?";
}

std::string_view name_of(Interleave interleave) {
  return interleave == Interleave::kWord ? "word" : "block";
}

std::string_view name_of(Rounding rounding) {
  switch (rounding) {
    case Rounding::kTfliteDouble:
      return "tflite_double";
    case Rounding::kTfliteSingle:
      return "tflite_single";
    case Rounding::kFloatRne:
      return "float_rne";
  }
  return "?";
}

std::string_view name_of(ProgramMemory memory) {
  return memory == ProgramMemory::kDram ? "dram" : "local";
}

std::string_view name_of(DramKind kind) {
  return kind == DramKind::kJedec ? "jedec" : "fixed_latency";
}

std::string_view name_of(PagePolicy policy) {
  return policy == PagePolicy::kOpen ? "open" : "closed";
}

std::string_view name_of(BankHash hash) {
  switch (hash) {
    case BankHash::kNone:
      return "none";
    case BankHash::kColumn:
      return "column";
    case BankHash::kRow:
      return "row";
  }
  return "";
}

std::string_view name_of(RefreshPolicy policy) {
  switch (policy) {
    case RefreshPolicy::kNone:
      return "none";
    case RefreshPolicy::kAllBank:
      return "all_bank";
    case RefreshPolicy::kPerBank:
      return "per_bank";
  }
  return "?";
}

std::string_view name_of(SourceClass source_class) {
  switch (source_class) {
    case SourceClass::kMeasured:
      return "measured";
    case SourceClass::kPublished:
      return "published";
    case SourceClass::kDerived:
      return "derived";
    case SourceClass::kAssumed:
      return "assumed";
    case SourceClass::kPlaceholder:
      return "placeholder";
  }
  return "?";
}

}  // namespace npu
