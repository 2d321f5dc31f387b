#pragma once

namespace npu {

/// Call on the main stack after sc_start, before anything may throw. Does nothing without
/// AddressSanitizer.
///
/// AddressSanitizer keeps the bounds of the current stack, to clean up after exceptions. SystemC
/// tells it of each switch to a coroutine, but does not know the bounds of the main stack when it
/// returns there: the next exception would leave stale marks behind, reported later as overflows.
void restore_sanitizer_stack();

}  // namespace npu
