#pragma once

#include <xmmintrin.h>

namespace rt::backend::cpu {

/// While it lives, the thread computes as generated code expects: to nearest, with subnormals, without exceptions. A
/// worker inherits its creator's settings, and an application's thread that helps out has its own, which come back.
class FloatingPointScope {
  public:
    FloatingPointScope() : before_(_mm_getcsr()) { _mm_setcsr(0x1f80); }
    ~FloatingPointScope() { _mm_setcsr(before_); }
    FloatingPointScope(const FloatingPointScope&) = delete;
    FloatingPointScope& operator=(const FloatingPointScope&) = delete;

  private:
    unsigned before_;
};

} // namespace rt::backend::cpu
