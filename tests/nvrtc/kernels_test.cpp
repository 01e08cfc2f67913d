// Sources that clang has compiled in NVRTC's place, run on the device.
#include "driver_fixture.h"
#include "library.h"

#include <bit>
#include <cmath>
#include <cstring>

using namespace shim;

namespace {

class Kernels : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_NE(cuttle_nvrtc().library, nullptr);
    }
    void TearDown() override {
        if (module != nullptr) {
            EXPECT_OK(cuModuleUnload(module));
        }
        for (const CUdeviceptr memory : allocated) EXPECT_OK(cuMemFree_v2(memory));
        Driver::TearDown();
    }

    /// Compiles to an image for the device and loads that. False, with the log told, when it does not compile.
    bool load(Program& program, std::vector<const char*> options = {}) {
        int major = 0, minor = 0;
        EXPECT_OK(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0));
        EXPECT_OK(cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0));
        const std::string architecture = "-arch=sm_" + std::to_string(10 * major + minor);
        options.push_back(architecture.c_str());
        EXPECT_EQ(program.compile(options), ok) << program.log();
        const std::string image = program.get("CUBIN");
        EXPECT_TRUE(image.starts_with("\177ELF"));
        const bool loaded = cuModuleLoadData(&module, image.data()) == 0;
        EXPECT_TRUE(loaded) << program.text("PTX");
        return loaded;
    }

    template <class T> CUdeviceptr upload(const std::vector<T>& values) {
        CUdeviceptr memory = 0;
        EXPECT_OK(cuMemAlloc_v2(&memory, values.size() * sizeof(T)));
        EXPECT_OK(cuMemcpyHtoD_v2(memory, values.data(), values.size() * sizeof(T)));
        allocated.push_back(memory);
        return memory;
    }
    template <class T> std::vector<T> download(CUdeviceptr memory, size_t count) {
        std::vector<T> values(count);
        EXPECT_OK(cuMemcpyDtoH_v2(values.data(), memory, count * sizeof(T)));
        return values;
    }
    template <class... A> void launch(const char* kernel, unsigned blocks, unsigned threads, A... arguments) {
        CUfunction function = nullptr;
        ASSERT_OK(cuModuleGetFunction(&function, module, kernel));
        void* all[] = {&arguments...};
        ASSERT_OK(cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, nullptr, all, nullptr));
        ASSERT_OK(cuCtxSynchronize());
    }

    CUmodule module = nullptr;
    std::vector<CUdeviceptr> allocated;
};

TEST_F(Kernels, VectorAddition) {
    Program program(cuttle_nvrtc(), R"(
extern "C" __global__ void add(const float* a, const float* b, float* c, int n) {
    const int i = blockDim.x * blockIdx.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
})");
    ASSERT_TRUE(load(program));
    const int n = 1000;
    std::vector<float> a(n), b(n);
    for (int i = 0; i < n; i++) a[i] = float(i), b[i] = 0.5f * float(i);
    const CUdeviceptr c = upload(std::vector<float>(n));
    launch("add", 4, 256, upload(a), upload(b), c, n);
    const std::vector<float> sums = download<float>(c, n);
    for (int i = 0; i < n; i++) ASSERT_EQ(sums[i], 1.5f * float(i));
}

TEST_F(Kernels, MatrixProductOfATemplateInSharedMemory) {
    Program program(cuttle_nvrtc(), R"(
template <int tile> __global__ void multiply(float* c, const float* a, const float* b, int width) {
    __shared__ float as[tile][tile], bs[tile][tile];
    const int x = threadIdx.x % tile, y = threadIdx.x / tile, tiles = width / tile;
    const int column = blockIdx.x % tiles * tile + x, row = blockIdx.x / tiles * tile + y;
    float sum = 0;
    for (int k = 0; k < width; k += tile) {
        as[y][x] = a[row * width + k + x];
        bs[y][x] = b[(k + y) * width + column];
        __syncthreads();
#pragma unroll
        for (int i = 0; i < tile; i++) sum += as[y][i] * bs[i][x];
        __syncthreads();
    }
    c[row * width + column] = sum;
})");
    ASSERT_EQ(program.add_expression("multiply<16>"), ok);
    ASSERT_TRUE(load(program));
    const int width = 32;
    std::vector<float> a(width * width), b(width * width);
    for (int i = 0; i < width * width; i++) a[i] = float(i % 7), b[i] = float(i % 5);
    const CUdeviceptr c = upload(std::vector<float>(width * width));
    launch(program.lowered_name("multiply<16>").c_str(), 4, 256, c, upload(a), upload(b), width);
    const std::vector<float> product = download<float>(c, width * width);
    for (int row = 0; row < width; row++)
        for (int column = 0; column < width; column++) {
            float sum = 0;
            for (int k = 0; k < width; k++) sum += a[row * width + k] * b[k * width + column];
            ASSERT_EQ(product[row * width + column], sum) << row << ' ' << column;
        }
}

TEST_F(Kernels, WarpFunctionsAndAtomics) {
    Program program(cuttle_nvrtc(), R"(
__device__ unsigned long long total;
extern "C" __global__ void count(int* out, float* sum) {
    int value = threadIdx.x;
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_down_sync(0xffffffff, value, offset);
    const unsigned odd = __ballot_sync(0xffffffff, threadIdx.x & 1), same = __match_any_sync(0xffffffff, threadIdx.x / 8);
    if (threadIdx.x % 32 == 0) {
        atomicAdd(out, value);
        atomicMax(out + 1, value);
        atomicOr((unsigned*)out + 2, odd);
        atomicAdd(&total, 1ull);
    }
    if (threadIdx.x == 9) out[3] = same;
    atomicInc((unsigned*)out + 4, 99u);
    atomicCAS_system(out + 5, 0, 7);
    atomicAdd_block(sum, 0.5f);
    out[6] = __syncthreads_count(threadIdx.x < 40);
    if (threadIdx.x < 32) out[7] = __reduce_add_sync(~0u, 2u) + __popc(__activemask());
    __threadfence();
})");
    ASSERT_TRUE(load(program));
    const CUdeviceptr out = upload(std::vector<int>(8)), sum = upload(std::vector<float>(1));
    launch("count", 1, 128, out, sum);
    EXPECT_EQ(download<int>(out, 8),
              (std::vector<int>{127 * 64, 96 * 32 + 31 * 16, int(0xaaaaaaaa), 0xff00, 28, 7, 40, 96}));
    EXPECT_EQ(download<float>(sum, 1)[0], 64.f);
    CUdeviceptr total = 0;
    size_t size = 0;
    ASSERT_OK(cuModuleGetGlobal_v2(&total, &size, module, "total"));
    EXPECT_EQ(size, 8u);
    EXPECT_EQ(download<unsigned long long>(total, 1)[0], 4u);
}

TEST_F(Kernels, IntrinsicsGiveTheirBits) {
    Program program(cuttle_nvrtc(), R"(
extern "C" __global__ void bits(unsigned* out, const float* f) {
    const float a = f[0], b = f[1];
    out[0] = __float_as_uint(__fadd_ru(a, b)) - __float_as_uint(__fadd_rd(a, b));
    out[1] = __float2int_rn(2.5f) * 100 + __float2int_ru(2.1f) * 10 + __float2int_rz(-1.9f);
    out[2] = __brev(1) + __clz(255) + __ffs(8) + __popc(0xff);
    out[3] = __byte_perm(0x03020100, 0x07060504, 0x1357);
    out[4] = __umulhi(0x80000000u, 6) + __mulhi(-1, 1);
    out[5] = __funnelshift_l(0x80000000u, 1, 4);
    out[6] = __dp4a(0x01020304, 0x01010101, 5);
    out[7] = __vadd4(0x01ff01ff, 0x01010101);
    out[8] = __fdiv_rz(1.f, 3.f) < 1.f / 3.f;
    out[9] = __double2hiint(1.0) + __hadd(-3, 0) + max(2u, 3u);
})");
    ASSERT_TRUE(load(program));
    const CUdeviceptr out = upload(std::vector<unsigned>(10));
    launch("bits", 1, 1, out, upload(std::vector<float>{1.f, 0x1p-30f}));
    EXPECT_EQ(download<unsigned>(out, 10), (std::vector<unsigned>{1, 229, 0x80000000u + 24 + 4 + 8, 0x01030507, 3 - 1,
                                                                  0x18, 15, 0x02000200, 1, 0x3ff00000 - 2 + 3}));
}

/// Units in the last place between a result and the host's long double.
template <class T> double distance(T result, long double right) {
    if (std::isnan(result) || std::isinf(result)) return std::isnan(right) || T(right) == result ? 0 : 1e30;
    const T rounded = T(right);
    const T unit = std::max(std::nextafter(std::fabs(rounded), std::numeric_limits<T>::infinity()) - std::fabs(rounded),
                            std::numeric_limits<T>::denorm_min());
    return double(std::fabs((long double)result - right) / unit);
}

struct Function {
    const char* name;
    long double (*right)(long double);
    double from, to, bound, bound_float; ///< bounds in units in the last place, no wider than docs/nvrtc.md tells
};

long double rsqrt_right(long double x) { return 1 / std::sqrt(x); }
long double sinpi_right(long double x) { return std::sin(3.14159265358979323846264338327950288L * x); }
long double erfinv_right(long double x) { // by Newton's steps in long double
    long double y = x;
    for (int i = 0; i < 200; i++) y -= (std::erf(y) - x) / (1.12837916709551257389615890312154517L * std::exp(-y * y));
    return y;
}

TEST_F(Kernels, MathematicsIsAsExactAsTheDocumentsSay) {
    const Function functions[] = {
#define ROW(name, ...) {#name, [](long double x) { return std::name(x); }, __VA_ARGS__}
        ROW(sin, -100, 100, 2, 2),
        ROW(cos, -100, 100, 2, 2),
        ROW(tan, -100, 100, 2, 2),
        ROW(exp, -80, 80, 2, 2),
        ROW(log, 1e-30, 1e30, 2, 2),
        ROW(exp2, -80, 80, 2, 2),
        ROW(log2, 1e-30, 1e30, 2, 2),
        ROW(expm1, -10, 10, 2, 2),
        ROW(log1p, -0.9, 10, 2, 2),
        ROW(cbrt, -1e6, 1e6, 2, 2),
        ROW(tanh, -5, 5, 2, 2),
        ROW(sinh, -20, 20, 2, 2),
        ROW(atan, -50, 50, 2, 2),
        ROW(acos, -1, 1, 2, 2),
        ROW(erf, -4, 4, 2, 2),
        ROW(erfc, -4, 4, 3, 3),
        ROW(tgamma, 0.1, 30, 144, 144),
        ROW(sqrt, 0, 1e10, 0.5, 0.5),
#undef ROW
        {"rsqrt", rsqrt_right, 1e-10, 1e10, 2, 2},
        {"sinpi", sinpi_right, -4.9, 4.9, 2, 2},
        {"erfinv", erfinv_right, -0.95, 0.95, 2, 1},
    };
    std::string source;
    for (const Function& one : functions) {
        const std::string name = one.name;
        source += "extern \"C\" __global__ void " + name +
                  "_k(double* d, float* f) { const int i = threadIdx.x + blockIdx.x * 64;"
                  " d[i] = " +
                  name + "(d[i]); f[i] = " + name + "f(f[i]); }\n";
    }
    Program program(cuttle_nvrtc(), source);
    if (program.compile() == compilation && program.log().find("libclc") != std::string::npos)
        GTEST_SKIP() << program.log();
    ASSERT_TRUE(load(program));
    const int n = 1024;
    for (const Function& one : functions) {
        std::vector<double> d(n);
        std::vector<float> f(n);
        for (int i = 0; i < n; i++) {
            d[i] = one.from + (one.to - one.from) * (i + 0.37) / n;
            if (one.from == 1e-30) d[i] = std::exp((i - n / 2 + 0.37) / 8.0);
            f[i] = float(d[i]);
        }
        const CUdeviceptr dm = upload(d), fm = upload(f);
        launch((std::string(one.name) + "_k").c_str(), n / 64, 64, dm, fm);
        const std::vector<double> dr = download<double>(dm, n);
        const std::vector<float> fr = download<float>(fm, n);
        double worst = 0, worst_float = 0;
        for (int i = 0; i < n; i++) {
            worst = std::max(worst, distance(dr[i], one.right(d[i])));
            worst_float = std::max(worst_float, distance(fr[i], one.right(f[i])));
        }
        RecordProperty(one.name, std::to_string(worst) + " " + std::to_string(worst_float));
        EXPECT_LE(worst, one.bound) << one.name;
        EXPECT_LE(worst_float, one.bound_float) << one.name << "f";
    }
}

TEST_F(Kernels, DebugInformationAndDeviceFunctionsByDefault) {
    Program program(cuttle_nvrtc(), R"(
int twice(int x) { return 2 * x; }
struct Pair { int a, b; Pair(int x) : a(x), b(twice(x)) {} virtual int sum() const { return a + b; } };
extern "C" __global__ void k(int* out) { *out = Pair(7).sum(); }
)");
    ASSERT_TRUE(load(program, {"-default-device", "-G"}));
    EXPECT_NE(program.text("PTX").find(".loc"), std::string::npos);
    const CUdeviceptr out = upload(std::vector<int>(1));
    launch("k", 1, 1, out);
    EXPECT_EQ(download<int>(out, 1)[0], 21);
}

} // namespace
