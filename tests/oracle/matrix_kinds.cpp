#include "matrix_kinds.h"

#include "api/constants.h"
#include "driver_declarations.h"
#include "ptx/translate.h"

#include <gtest/gtest.h>

#include <cmath>

// mma with .kind, which no machine of ours executes: against exact sums. Where nothing is lost before the last rounding
// the result must be the exact sum, rounded; elsewhere it must lie within what cutting each term can change.
namespace oracle::kinds {
namespace {

void check(CUresult result, const std::string& what) { ASSERT_EQ(result, 0) << what; }

class Kinds : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        CUdevice device = 0;
        check(cuInit(0), "cuInit");
        check(cuDeviceGet(&device, 0), "cuDeviceGet");
        CUcontext context = nullptr;
        check(cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
        check(cuCtxSetCurrent(context), "cuCtxSetCurrent");
        check(cuMemAlloc_v2(&in_, 1 << 16), "cuMemAlloc");
        check(cuMemAlloc_v2(&out_, 1 << 12), "cuMemAlloc");
    }

    /// Words [word][lane] of D.
    static std::vector<uint32_t> run(CUmodule module, const Form& form, const Inputs& inputs) {
        CUfunction kernel = nullptr;
        std::vector<uint32_t> output(form.accumulator_words() * 32);
        check(cuModuleGetFunction(&kernel, module, form.name().c_str()), form.name());
        check(cuMemcpyHtoD_v2(in_, inputs.words.data(), 4 * inputs.words.size()), "cuMemcpyHtoD");
        void* parameters[] = {&in_, &out_};
        check(cuLaunchKernel(kernel, 1, 1, 1, 32, 1, 1, 0, nullptr, parameters, nullptr), "cuLaunchKernel");
        check(cuMemcpyDtoH_v2(output.data(), out_, 4 * output.size()), "cuMemcpyDtoH");
        return output;
    }

    static CUmodule load(const std::vector<Form>& forms) {
        CUmodule module = nullptr;
        EXPECT_EQ(cuModuleLoadData(&module, module_text(forms).c_str()), 0);
        return module;
    }

    static CUdeviceptr in_, out_;
};

CUdeviceptr Kinds::in_ = 0;
CUdeviceptr Kinds::out_ = 0;

/// `exact` cut to f32's 24 bits; for f16 rounded to nearest even.
long double rounded(long double exact, bool half) {
    if (exact == 0) return 0;
    int exponent = 0;
    std::frexp(exact, &exponent);
    const long double unit = std::ldexp(1.0L, half ? std::max(exponent - 11, -24) : std::max(exponent - 24, -149));
    return (half ? std::nearbyint(exact / unit) : std::trunc(exact / unit)) * unit;
}

TEST_F(Kinds, AreExactSumsWhereNothingIsCut) {
    const auto forms = all_forms();
    ASSERT_GT(forms.size(), 150u);
    CUmodule module = load(forms);
    for (const Form& form : forms)
        for (unsigned round = 0; round < 4; ++round) {
            const Inputs inputs = make_inputs(form, round, Range::narrow);
            const auto got = run(module, form, inputs);
            const Products products = multiply(form, inputs);
            int wrong = 0;
            for (unsigned row = 0; row < 16; ++row)
                for (unsigned column = 0; column < 8; ++column) {
                    const long double want = rounded(products.exact[row][column], form.d == "f16");
                    const long double have = accumulator(form, got, row, column);
                    if (want != have && ++wrong <= 2)
                        ADD_FAILURE() << form.name() << " round " << round << " D[" << row << "][" << column
                                      << "]: " << static_cast<double>(have) << ", not " << static_cast<double>(want);
                }
        }
    check(cuModuleUnload(module), "cuModuleUnload");
}

TEST_F(Kinds, LoseNoMoreThanTermsAreCut) {
    const auto forms = all_forms();
    CUmodule module = load(forms);
    for (const Form& form : forms)
        for (unsigned round = 0; round < 3; ++round) {
            const Inputs inputs = make_inputs(form, round, Range::whole);
            const auto got = run(module, form, inputs);
            const Products products = multiply(form, inputs);
            for (unsigned row = 0; row < 16; ++row)
                for (unsigned column = 0; column < 8; ++column) {
                    const long double want = products.exact[row][column];
                    const long double have = accumulator(form, got, row, column);
                    const bool half = form.d == "f16";
                    const long double largest = half ? 65504.0L : 3.4028234663852886e38L;
                    if (std::isinf(have)) {
                        EXPECT_GE(std::fabs(want), largest * 0.99L) << form.name();
                        EXPECT_EQ(have > 0, want > 0) << form.name();
                        continue;
                    }
                    const long double last = half ? std::ldexp(std::fabs(want), -11) + std::ldexp(1.0L, -25)
                                                  : std::ldexp(std::fabs(want), -23) + std::ldexp(1.0L, -149);
                    EXPECT_LE(std::fabs(have - want), products.cut[row][column] + last)
                        << form.name() << " round " << round << " D[" << row << "][" << column
                        << "]: " << static_cast<double>(have) << ", not " << static_cast<double>(want);
                    if (HasFailure()) return;
                }
        }
    check(cuModuleUnload(module), "cuModuleUnload");
}

TEST_F(Kinds, GiveNaNAndInfinity) {
    for (const Form& form : all_forms()) {
        if (form.sparse || form.d == "f16") continue;
        CUmodule module = load({form});
        Inputs inputs = make_inputs(form, 0, Range::narrow);
        inputs.set_c(form, 3, 5, 0x7f800000);
        auto got = run(module, form, inputs);
        EXPECT_EQ(accumulator(form, got, 3, 5), INFINITY) << form.name();
        EXPECT_TRUE(std::isfinite(accumulator(form, got, 3, 4))) << form.name();
        if (form.scaled()) {
            inputs = make_inputs(form, 0, Range::narrow);
            inputs.set_factor_of_a(form, 9, form.factors - 1, form.factor == "ue8m0" ? 0xff : 0x7f);
            inputs.set_factor_of_b(form, 2, 0, form.factor == "ue8m0" ? 0xff : 0x7f);
            got = run(module, form, inputs);
            for (unsigned row = 0; row < 16; ++row)
                for (unsigned column = 0; column < 8; ++column)
                    EXPECT_EQ(std::isnan(accumulator(form, got, row, column)), row == 9 || column == 2)
                        << form.name() << " " << row << " " << column;
        }
        if (form.a == "e5m2" || form.a == "e4m3") {
            inputs = make_inputs(form, 1, Range::narrow);
            inputs.set_a(form, 7, 11, form.a == "e5m2" ? 0x7d : 0x7f);
            got = run(module, form, inputs);
            for (unsigned row = 0; row < 16; ++row)
                EXPECT_EQ(std::isnan(accumulator(form, got, row, 6)), row == 7) << form.name();
        }
        check(cuModuleUnload(module), "cuModuleUnload");
    }
}

TEST_F(Kinds, RefuseWhatTheManualHasNot) {
    struct Refused {
        const char *instruction, *operands, *because;
    };
    constexpr const char *dense = "{d,d,d,d},{a,a,a,a},{a,a},{c,c,c,c}", *scales = ",a,{0,0},a,{0,0}";
    const std::string plain = dense, scaled = plain + scales, wrong_byte = plain + ",a,{1,0},a,{0,0}",
                      wrong_thread = plain + ",a,{0,2},a,{0,0}";
    const Refused list[] = {
        {"m16n8k32.row.col.f32.e4m3.e3m2.f32", plain.c_str(), "has no form"},
        {"m16n8k16.row.col.kind::f8f6f4.f32.e4m3.e3m2.f32", "{d,d,d,d},{a,a},{a},{c,c,c,c}", "has no form"},
        {"m16n8k64.row.col.kind::mxf4.block_scale.f32.e2m1.e2m1.f32.ue4m3", scaled.c_str(), "no such combination"},
        {"m16n8k64.row.col.kind::mxf4.block_scale.scale_vec::4X.f32.e2m1.e2m1.f32.ue8m0", scaled.c_str(),
         "no such combination"},
        {"m16n8k64.row.col.kind::mxf4nvf4.block_scale.f32.e2m1.e2m1.f32.ue4m3", scaled.c_str(), "no such combination"},
        {"m16n8k32.row.col.kind::mxf8f6f4.f32.e4m3.e4m3.f32", plain.c_str(), "needs .block_scale"},
        {"m16n8k64.row.col.kind::mxf4.block_scale.f32.e2m1.e2m1.f32.ue8m0", wrong_byte.c_str(), "no such byte"},
        {"m16n8k64.row.col.kind::mxf4.block_scale.f32.e2m1.e2m1.f32.ue8m0", wrong_thread.c_str(), "no such thread"},
    };
    for (const Refused& refused : list) {
        const std::string text = ".version 9.0\n.target sm_120a\n.address_size 64\n.visible .entry k()\n{\n"
                                 ".reg .b32 a; .reg .f32 c, d;\nmov.b32 a, 0; mov.f32 c, 0f00000000;\n"
                                 "mma.sync.aligned." +
                                 std::string(refused.instruction) + " " + refused.operands + ";\nret;\n}\n";
        const std::string_view sources[] = {text};
        ptx::Request request;
        request.sources = sources;
        std::string error;
        for (const ptx::KernelInfo& kernel : ptx::translate(request).kernels) error += kernel.error;
        EXPECT_NE(error.find(refused.because), error.npos) << refused.instruction << ": " << error;
    }
}

} // namespace
} // namespace oracle::kinds
