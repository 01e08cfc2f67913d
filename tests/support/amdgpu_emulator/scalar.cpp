// SOP1, SOP2, SOPK and SOPC: RDNA3 ISA 16.1 to 16.4.
#include "rows.h"
#include "wave.h"

#include <bit>
#include <type_traits>

namespace amdgpu {

namespace {

template <class T> T operand(const Wave& wave, const Operand& from) {
    if constexpr (sizeof(T) == 8)
        return std::bit_cast<T>(wave.read64(from, std::is_signed_v<T>));
    else
        return std::bit_cast<T>(wave.read(from));
}

template <class R> void put_scalar(Wave& wave, uint16_t to, R value) {
    if constexpr (sizeof(R) == 8)
        wave.write64(to, uint64_t(value));
    else
        wave.write(to, uint32_t(value));
}

template <auto f, class R, class... A, size_t... n>
void scalar_lanes(Wave& wave, const Instruction& in, R (*)(Wave&, A...), std::index_sequence<n...>) {
    if constexpr (std::is_void_v<R>)
        f(wave, operand<A>(wave, in.source[n])...);
    else
        put_scalar(wave, in.destination.code, f(wave, operand<A>(wave, in.source[n])...));
}
template <class R, class... A> constexpr auto scalar_indices(R (*)(Wave&, A...)) {
    return std::index_sequence_for<A...>();
}
template <auto f> void scalar(Wave& wave, const Instruction& in) { scalar_lanes<f>(wave, in, +f, scalar_indices(+f)); }

template <class T> T tell(Wave& wave, T result) {
    wave.scc = result != 0;
    return result;
}

template <class T> constexpr unsigned width = 8 * sizeof(T);

/// Operations of 32 and 64 bits that tell in SCC whether the result is not zero.
template <class T> void add_logic(Rows& rows, const char* suffix) {
    const auto name = [&](const char* stem) { return std::string(stem) + suffix; };
    rows[name("s_and")] = {scalar<([](Wave& w, T a, T b) { return tell(w, T(a & b)); })>};
    rows[name("s_or")] = {scalar<([](Wave& w, T a, T b) { return tell(w, T(a | b)); })>};
    rows[name("s_xor")] = {scalar<([](Wave& w, T a, T b) { return tell(w, T(a ^ b)); })>};
    rows[name("s_nand")] = {scalar<([](Wave& w, T a, T b) { return tell(w, T(~(a & b))); })>};
    rows[name("s_nor")] = {scalar<([](Wave& w, T a, T b) { return tell(w, T(~(a | b))); })>};
    rows[name("s_xnor")] = {scalar<([](Wave& w, T a, T b) { return tell(w, T(~(a ^ b))); })>};
    rows[name("s_and_not1")] = rows[name("s_andn2")] = {scalar<([](Wave& w, T a, T b) { return tell(w, T(a & ~b)); })>};
    rows[name("s_or_not1")] = rows[name("s_orn2")] = {scalar<([](Wave& w, T a, T b) { return tell(w, T(a | ~b)); })>};
    rows[name("s_lshl")] = {scalar<([](Wave& w, T a, uint32_t b) { return tell(w, T(a << (b & (width<T> - 1)))); })>};
    rows[name("s_lshr")] = {scalar<([](Wave& w, T a, uint32_t b) { return tell(w, T(a >> (b & (width<T> - 1)))); })>};
    rows[name("s_not")] = {scalar<([](Wave& w, T a) { return tell(w, T(~a)); })>};
    rows[name("s_wqm")] = {scalar<([](Wave& w, T a) {
        T result = 0;
        for (unsigned i = 0; i < width<T>; i += 4)
            if (a >> i & 15) result |= T(15) << i;
        return tell(w, result);
    })>};
    rows[name("s_brev")] = {scalar<([](Wave&, T a) {
        T result = 0;
        for (unsigned i = 0; i < width<T>; i++) result |= (a >> i & 1) << (width<T> - 1 - i);
        return result;
    })>};
    rows[name("s_mov")] = {scalar<([](Wave&, T a) { return a; })>};
    rows[name("s_cselect")] = {scalar<([](Wave& w, T a, T b) { return w.scc ? a : b; })>};
    rows[name("s_cmov")] = {[](Wave& w, const Instruction& in) {
        if (w.scc) put_scalar(w, in.destination.code, operand<T>(w, in.source[0]));
    }};
    rows[name("s_bfm")] = {scalar<([](Wave&, uint32_t a, uint32_t b) {
        return T(((T(1) << (a & (width<T> - 1))) - 1) << (b & (width<T> - 1)));
    })>};
    rows[name("s_bitset0")] = {[](Wave& w, const Instruction& in) {
        const uint32_t bit = w.read(in.source[0]) & (width<T> - 1);
        put_scalar(w, in.destination.code, T(operand<T>(w, in.destination) & ~(T(1) << bit)));
    }};
    rows[name("s_bitset1")] = {[](Wave& w, const Instruction& in) {
        const uint32_t bit = w.read(in.source[0]) & (width<T> - 1);
        put_scalar(w, in.destination.code, T(operand<T>(w, in.destination) | (T(1) << bit)));
    }};
    rows[name("s_bitcmp0")] = {scalar<([](Wave& w, T a, uint32_t b) { w.scc = !(a >> (b & (width<T> - 1)) & 1); })>};
    rows[name("s_bitcmp1")] = {scalar<([](Wave& w, T a, uint32_t b) { w.scc = a >> (b & (width<T> - 1)) & 1; })>};
    rows["s_bcnt0_i32" + std::string(suffix)] = {
        scalar<([](Wave& w, T a) { return tell(w, uint32_t(std::popcount(T(~a)))); })>};
    rows["s_bcnt1_i32" + std::string(suffix)] = {
        scalar<([](Wave& w, T a) { return tell(w, uint32_t(std::popcount(a))); })>};
    // The number of the lowest bit, -1 when there is none.
    constexpr auto lowest = [](Wave&, T a) { return a ? uint32_t(std::countr_zero(a)) : ~0u; };
    rows["s_ctz_i32" + std::string(suffix)] = rows["s_ff1_i32" + std::string(suffix)] = {scalar<lowest>};
}

template <class U, class S> void add_typed(Rows& rows, const char* unsigned_suffix, const char* signed_suffix) {
    const std::string u(unsigned_suffix), i(signed_suffix);
    rows["s_ashr" + i] = {scalar<([](Wave& w, S a, uint32_t b) { return tell(w, S(a >> (b & (width<S> - 1)))); })>};
    // Bits 0 to 4 (5): where; bits 16 to 22: how many.
    rows["s_bfe" + u] = {scalar<([](Wave& w, U a, uint32_t b) {
        const unsigned from = b & (width<U> - 1), count = b >> 16 & 0x7f;
        const U shifted = a >> from;
        return tell(w, count >= width<U> ? shifted : U(shifted & ((U(1) << count) - 1)));
    })>};
    rows["s_bfe" + i] = {scalar<([](Wave& w, S a, uint32_t b) {
        const unsigned from = b & (width<S> - 1), count = b >> 16 & 0x7f;
        if (count == 0) return tell(w, S(0));
        const S shifted = a >> from;
        if (count >= width<S>) return tell(w, shifted);
        const unsigned spare = width<S> - count;
        return tell(w, S(S(U(shifted) << spare) >> spare));
    })>};
    constexpr auto leading = [](Wave&, U a) { return a ? uint32_t(std::countl_zero(a)) : ~0u; };
    rows["s_clz_i32" + u] = {scalar<leading>};
    rows["s_flbit_i32" + std::string(sizeof(U) == 8 ? "_b64" : "_b32")] = {scalar<leading>};
    // How many bits equal the sign, the sign itself included; -1 when all do.
    constexpr auto same = [](Wave&, S a) {
        const U different = U(a ^ (a >> (width<S> - 1)));
        return different ? uint32_t(std::countl_zero(different)) : ~0u;
    };
    rows["s_cls_i32" + (sizeof(U) == 8 ? i : std::string())] = {scalar<same>};
    rows["s_flbit_i32" + (sizeof(U) == 8 ? i : std::string())] = {scalar<same>};
}

/// EXEC = f(source, EXEC), the old EXEC is kept.
template <class T, auto f> void save_exec(Wave& wave, const Instruction& in) {
    const T source = operand<T>(wave, in.source[0]);
    const T old = T(sizeof(T) == 8 ? wave.wide(code::exec) : wave.scalars[code::exec]);
    const T now = f(source, old);
    put_scalar(wave, in.destination.code, old);
    put_scalar(wave, code::exec, now);
    wave.scc = now != 0;
}
template <class T, auto f> void write_exec(Wave& wave, const Instruction& in) {
    const T source = operand<T>(wave, in.source[0]);
    const T now = f(source, T(sizeof(T) == 8 ? wave.wide(code::exec) : wave.scalars[code::exec]));
    put_scalar(wave, code::exec, now);
    put_scalar(wave, in.destination.code, now);
    wave.scc = now != 0;
}

template <class T> void add_exec(Rows& rows, const char* suffix) {
    const auto name = [&](const char* stem) { return std::string(stem) + suffix; };
    rows[name("s_and_saveexec")] = {save_exec<T, ([](T a, T e) { return T(a & e); })>};
    rows[name("s_or_saveexec")] = {save_exec<T, ([](T a, T e) { return T(a | e); })>};
    rows[name("s_xor_saveexec")] = {save_exec<T, ([](T a, T e) { return T(a ^ e); })>};
    rows[name("s_nand_saveexec")] = {save_exec<T, ([](T a, T e) { return T(~(a & e)); })>};
    rows[name("s_nor_saveexec")] = {save_exec<T, ([](T a, T e) { return T(~(a | e)); })>};
    rows[name("s_xnor_saveexec")] = {save_exec<T, ([](T a, T e) { return T(~(a ^ e)); })>};
    rows[name("s_and_not1_saveexec")] =
        rows[name("s_andn2_saveexec")] = {save_exec<T, ([](T a, T e) { return T(a & ~e); })>};
    rows[name("s_and_not0_saveexec")] =
        rows[name("s_andn1_saveexec")] = {save_exec<T, ([](T a, T e) { return T(~a & e); })>};
    rows[name("s_or_not1_saveexec")] =
        rows[name("s_orn2_saveexec")] = {save_exec<T, ([](T a, T e) { return T(a | ~e); })>};
    rows[name("s_or_not0_saveexec")] =
        rows[name("s_orn1_saveexec")] = {save_exec<T, ([](T a, T e) { return T(~a | e); })>};
    rows[name("s_and_not0_wrexec")] =
        rows[name("s_andn1_wrexec")] = {write_exec<T, ([](T a, T e) { return T(~a & e); })>};
    rows[name("s_and_not1_wrexec")] =
        rows[name("s_andn2_wrexec")] = {write_exec<T, ([](T a, T e) { return T(a & ~e); })>};
}

/// Signed overflow is what SCC tells of s_add_i32 and s_sub_i32.
bool overflows(int64_t exact) { return exact != int32_t(exact); }

void add_arithmetic(Rows& rows) {
    rows["s_add_u32"] = {scalar<([](Wave& w, uint32_t a, uint32_t b) {
        w.scc = (uint64_t{a} + b) >> 32;
        return a + b;
    })>};
    rows["s_addc_u32"] = {scalar<([](Wave& w, uint32_t a, uint32_t b) {
        const uint64_t sum = uint64_t{a} + b + w.scc;
        w.scc = sum >> 32;
        return uint32_t(sum);
    })>};
    rows["s_sub_u32"] = {scalar<([](Wave& w, uint32_t a, uint32_t b) {
        w.scc = b > a;
        return a - b;
    })>};
    rows["s_subb_u32"] = {scalar<([](Wave& w, uint32_t a, uint32_t b) {
        const uint32_t result = a - b - w.scc;
        w.scc = uint64_t{b} + w.scc > a;
        return result;
    })>};
    rows["s_add_i32"] = {scalar<([](Wave& w, int32_t a, int32_t b) {
        w.scc = overflows(int64_t{a} + b);
        return uint32_t(a) + uint32_t(b);
    })>};
    rows["s_sub_i32"] = {scalar<([](Wave& w, int32_t a, int32_t b) {
        w.scc = overflows(int64_t{a} - b);
        return uint32_t(a) - uint32_t(b);
    })>};
    rows["s_addk_i32"] = rows["s_add_i32"];
    rows["s_mul_i32"] = rows["s_mulk_i32"] = {scalar<([](Wave&, uint32_t a, uint32_t b) { return a * b; })>};
    rows["s_mul_hi_u32"] = {scalar<([](Wave&, uint32_t a, uint32_t b) { return uint32_t(uint64_t{a} * b >> 32); })>};
    rows["s_mul_hi_i32"] = {scalar<([](Wave&, int32_t a, int32_t b) { return uint32_t(int64_t{a} * b >> 32); })>};
    rows["s_abs_i32"] = {scalar<([](Wave& w, int32_t a) { return tell(w, a < 0 ? 0u - uint32_t(a) : uint32_t(a)); })>};
    rows["s_absdiff_i32"] = {scalar<([](Wave& w, int32_t a, int32_t b) {
        const uint32_t d = uint32_t(a) - uint32_t(b);
        return tell(w, int32_t(d) < 0 ? 0u - d : d);
    })>};
    // SCC: the first operand was taken.
    rows["s_min_i32"] = {scalar<([](Wave& w, int32_t a, int32_t b) { return (w.scc = a < b) ? a : b; })>};
    rows["s_max_i32"] = {scalar<([](Wave& w, int32_t a, int32_t b) { return (w.scc = a >= b) ? a : b; })>};
    rows["s_min_u32"] = {scalar<([](Wave& w, uint32_t a, uint32_t b) { return (w.scc = a < b) ? a : b; })>};
    rows["s_max_u32"] = {scalar<([](Wave& w, uint32_t a, uint32_t b) { return (w.scc = a >= b) ? a : b; })>};
    rows["s_sext_i32_i8"] = {scalar<([](Wave&, uint32_t a) { return int32_t(int8_t(a)); })>};
    rows["s_sext_i32_i16"] = {scalar<([](Wave&, uint32_t a) { return int32_t(int16_t(a)); })>};
    rows["s_pack_ll_b32_b16"] = {scalar<([](Wave&, uint32_t a, uint32_t b) { return (a & 0xffff) | b << 16; })>};
    rows["s_pack_lh_b32_b16"] = {
        scalar<([](Wave&, uint32_t a, uint32_t b) { return (a & 0xffff) | (b & 0xffff0000); })>};
    rows["s_pack_hh_b32_b16"] = {scalar<([](Wave&, uint32_t a, uint32_t b) { return a >> 16 | (b & 0xffff0000); })>};
    rows["s_pack_hl_b32_b16"] = {scalar<([](Wave&, uint32_t a, uint32_t b) { return a >> 16 | b << 16; })>};
}

template <unsigned shift> void shift_add(Wave& wave, const Instruction& in) {
    const uint64_t sum = (uint64_t{wave.read(in.source[0])} << shift) + wave.read(in.source[1]);
    wave.scc = sum >> 32;
    wave.write(in.destination.code, uint32_t(sum));
}

template <class T> void add_comparisons(Rows& rows, const std::string& suffix) {
    const auto both = [&](const std::string& stem, Execute execute) {
        rows["s_cmp_" + stem + suffix] = {execute};
        if (sizeof(T) == 4) rows["s_cmpk_" + stem + suffix] = {execute};
    };
    both("eq", scalar<([](Wave& w, T a, T b) { w.scc = a == b; })>);
    both("lg", scalar<([](Wave& w, T a, T b) { w.scc = a != b; })>);
    both("gt", scalar<([](Wave& w, T a, T b) { w.scc = a > b; })>);
    both("ge", scalar<([](Wave& w, T a, T b) { w.scc = a >= b; })>);
    both("lt", scalar<([](Wave& w, T a, T b) { w.scc = a < b; })>);
    both("le", scalar<([](Wave& w, T a, T b) { w.scc = a <= b; })>);
}

/// The immediate of comparisons with unsigned numbers is not sign-extended.
template <Execute compare> void unsigned_immediate(Wave& wave, const Instruction& in) {
    Instruction same = in;
    same.source[1].value &= 0xffff;
    compare(wave, same);
}

void add_unsigned_immediates(Rows& rows) {
    rows["s_cmpk_eq_u32"] = {unsigned_immediate<scalar<([](Wave& w, uint32_t a, uint32_t b) { w.scc = a == b; })>>};
    rows["s_cmpk_lg_u32"] = {unsigned_immediate<scalar<([](Wave& w, uint32_t a, uint32_t b) { w.scc = a != b; })>>};
    rows["s_cmpk_gt_u32"] = {unsigned_immediate<scalar<([](Wave& w, uint32_t a, uint32_t b) { w.scc = a > b; })>>};
    rows["s_cmpk_ge_u32"] = {unsigned_immediate<scalar<([](Wave& w, uint32_t a, uint32_t b) { w.scc = a >= b; })>>};
    rows["s_cmpk_lt_u32"] = {unsigned_immediate<scalar<([](Wave& w, uint32_t a, uint32_t b) { w.scc = a < b; })>>};
    rows["s_cmpk_le_u32"] = {unsigned_immediate<scalar<([](Wave& w, uint32_t a, uint32_t b) { w.scc = a <= b; })>>};
}

} // namespace

void add_scalar(Rows& rows) {
    add_logic<uint32_t>(rows, "_b32");
    add_logic<uint64_t>(rows, "_b64");
    add_typed<uint32_t, int32_t>(rows, "_u32", "_i32");
    add_typed<uint64_t, int64_t>(rows, "_u64", "_i64");
    add_exec<uint32_t>(rows, "_b32");
    add_exec<uint64_t>(rows, "_b64");
    add_arithmetic(rows);
    add_comparisons<int32_t>(rows, "_i32");
    add_comparisons<uint32_t>(rows, "_u32");
    add_comparisons<uint64_t>(rows, "_u64");
    add_unsigned_immediates(rows);
    rows["s_lshl1_add_u32"] = {shift_add<1>};
    rows["s_lshl2_add_u32"] = {shift_add<2>};
    rows["s_lshl3_add_u32"] = {shift_add<3>};
    rows["s_lshl4_add_u32"] = {shift_add<4>};
    rows["s_movk_i32"] = {scalar<([](Wave&, uint32_t, uint32_t b) { return b; })>};
    rows["s_cmovk_i32"] = {[](Wave& w, const Instruction& in) {
        if (w.scc) w.write(in.destination.code, in.source[1].value);
    }};
}

} // namespace amdgpu
