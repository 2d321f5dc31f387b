#include "sim/config/sections.h"

namespace npu {

HostConfig read_host(const YamlMap& in) {
  constexpr double kMaxRate = 1e15;
  HostConfig host;
  host.macs_per_second = in.require_number("macs_per_second", 1, kMaxRate);
  host.elements_per_second = in.require_number("elements_per_second", 1, kMaxRate);
  host.bytes_per_second = in.require_number("bytes_per_second", 1, kMaxRate);
  host.call_us = in.require_number("call_us", 0, 1e6);
  host.active_power_mw = in.require_number("active_power_mw", 0, 1e9);
  return host;
}

}  // namespace npu
