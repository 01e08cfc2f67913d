// Conversions: RDNA3 ISA 16.7 and 16.10.
#include "floats.h"
#include "lanes.h"

#include <algorithm>
#include <cmath>

namespace amdgpu {

namespace {

using u32 = uint32_t;
using i32 = int32_t;

/// Towards zero, saturating; a NaN is 0.
template <class To, class From> To truncated(From x) {
    if (is_nan(x)) return 0;
    constexpr double low = double(std::numeric_limits<To>::min()), high = double(std::numeric_limits<To>::max());
    const double wide = std::trunc(double(x));
    return wide <= low ? std::numeric_limits<To>::min() : wide >= high ? std::numeric_limits<To>::max() : To(wide);
}

template <class T> T clamped(int64_t x) {
    return T(std::clamp<int64_t>(x, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}
u32 pair(uint32_t low, uint32_t high) { return (low & 0xffff) | high << 16; }
int32_t normalized(float x, float factor) { return truncated<i32>(to_even(x * factor)); }

void pack_towards_zero(Wave& wave, const Instruction& in) {
    Room<float> rooms[2];
    Room<uint16_t> halves[2];
    Room<u32> out;
    _mm_setcsr(0x1f80 | 3u << 13);
    for (unsigned i = 0; i < 2; i++)
        floats_to_halves(fetch<float>(wave, in.source[i], rooms[i]), halves[i].lane, wave.lanes);
    each_lane(wave, [&](unsigned i) { out.lane[i] = pair(halves[0].lane[i], halves[1].lane[i]); });
    put(wave, in, out.lane);
}

} // namespace

void add_vector_convert(Rows& rows) {
    rows["v_cvt_f32_i32"] = lanes<([](i32 a) { return float(a); })>();
    rows["v_cvt_f32_u32"] = lanes<([](u32 a) { return float(double(a)); })>();
    rows["v_cvt_i32_f32"] = lanes<([](float a) { return truncated<i32>(a); })>();
    rows["v_cvt_u32_f32"] = lanes<([](float a) { return truncated<u32>(a); })>();
    rows["v_cvt_f64_i32"] = lanes<([](i32 a) { return double(a); })>();
    rows["v_cvt_f64_u32"] = lanes<([](u32 a) { return double(a); })>();
    rows["v_cvt_i32_f64"] = lanes<([](double a) { return truncated<i32>(a); })>();
    rows["v_cvt_u32_f64"] = lanes<([](double a) { return truncated<u32>(a); })>();
    rows["v_cvt_f32_f64"] = lanes<([](double a) { return float(a); })>();
    rows["v_cvt_f64_f32"] = lanes<([](float a) { return double(a); })>();
    rows["v_cvt_f32_f16"] = lanes<([](F16 a) { return a.value; })>();
    rows["v_cvt_f16_f32"] = lanes<([](float a) { return F16{a}; })>();
    rows["v_cvt_f16_u16"] = lanes<([](uint16_t a) { return F16{float(a)}; })>();
    rows["v_cvt_f16_i16"] = lanes<([](int16_t a) { return F16{float(a)}; })>();
    rows["v_cvt_u16_f16"] = lanes<([](F16 a) { return truncated<uint16_t>(a.value); })>();
    rows["v_cvt_i16_f16"] = lanes<([](F16 a) { return truncated<int16_t>(a.value); })>();
    rows["v_cvt_i32_i16"] = lanes<([](int16_t a) { return i32(a); })>();
    rows["v_cvt_u32_u16"] = lanes<([](uint16_t a) { return u32(a); })>();
    rows["v_cvt_f32_ubyte0"] = lanes<([](u32 a) { return float(i32(a & 0xff)); })>();
    rows["v_cvt_f32_ubyte1"] = lanes<([](u32 a) { return float(i32(a >> 8 & 0xff)); })>();
    rows["v_cvt_f32_ubyte2"] = lanes<([](u32 a) { return float(i32(a >> 16 & 0xff)); })>();
    rows["v_cvt_f32_ubyte3"] = lanes<([](u32 a) { return float(i32(a >> 24)); })>();
    rows["v_cvt_floor_i32_f32"] = rows["v_cvt_flr_i32_f32"] =
        lanes<([](float a) { return truncated<i32>(std::floor(a)); })>();
    rows["v_cvt_nearest_i32_f32"] = rows["v_cvt_rpi_i32_f32"] =
        lanes<([](float a) { return truncated<i32>(std::floor(double(a) + 0.5)); })>();
    rows["v_cvt_pk_i16_i32"] =
        lanes<([](i32 a, i32 b) { return pair(u32(clamped<int16_t>(a)), u32(clamped<int16_t>(b))); })>();
    rows["v_cvt_pk_u16_u32"] = lanes<([](u32 a, u32 b) { return pair(clamped<uint16_t>(a), clamped<uint16_t>(b)); })>();
    rows["v_cvt_pk_i16_f32"] = lanes<([](float a, float b) {
        return pair(u32(clamped<int16_t>(truncated<i32>(a))), u32(clamped<int16_t>(truncated<i32>(b))));
    })>();
    rows["v_cvt_pk_u16_f32"] = lanes<([](float a, float b) {
        return pair(clamped<uint16_t>(truncated<u32>(a)), clamped<uint16_t>(truncated<u32>(b)));
    })>();
    rows["v_cvt_pk_norm_i16_f32"] = rows["v_cvt_pknorm_i16_f32"] = lanes<([](float a, float b) {
        return pair(u32(std::clamp(normalized(a, 32767), -32767, 32767)),
                    u32(std::clamp(normalized(b, 32767), -32767, 32767)));
    })>();
    rows["v_cvt_pk_norm_u16_f32"] = rows["v_cvt_pknorm_u16_f32"] = lanes<([](float a, float b) {
        return pair(u32(std::clamp(normalized(a, 65535), 0, 65535)), u32(std::clamp(normalized(b, 65535), 0, 65535)));
    })>();
    rows["v_cvt_pk_rtz_f16_f32"] = rows["v_cvt_pkrtz_f16_f32"] = {pack_towards_zero};
    rows["v_sat_pk_u8_i16"] = lanes<(
        [](u32 a) { return u32(clamped<uint8_t>(int16_t(a))) | u32(clamped<uint8_t>(int16_t(a >> 16))) << 8; })>();
}

} // namespace amdgpu
