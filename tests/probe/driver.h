#pragma once

#include "probe.h"

namespace probe {

inline uint64_t word(const volatile void* address) { return reinterpret_cast<uint64_t>(address); }
inline uint64_t word(uint64_t value) { return value; }
inline uint64_t word(int value) { return uint64_t(int64_t(value)); }

/// Calls a function by its symbol with arguments that are words, by the x86-64 System V ABI: six in registers, the
/// others in slots of the stack, where more than the function takes do no harm. -1 when there is no such function.
int call_words(const char* symbol, const std::vector<uint64_t>& words);

template <class... A> int call(const char* symbol, A... arguments) { return call_words(symbol, {word(arguments)...}); }

/// 16 KiB of the device.
uint64_t device_memory();
uint64_t made_event();

} // namespace probe
