// Shared description of every benchmark: inputs, launch geometry, arguments.
// The same description drives OpenCL (PoCL), CUDA (bench_cuda.cu), the OpenMP
// version and the hand-vectorised prototype.
#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

struct Buf {
    void* p = nullptr;
    size_t bytes = 0;
    template <class T> T* as() const { return (T*)p; }
};
struct Arg {
    enum K { BUF, I32, F32 } k;
    int i;
    float f;
};
inline Arg B(int i) { return {Arg::BUF, i, 0}; }
inline Arg I(int i) { return {Arg::I32, i, 0}; }
inline Arg F(float f) { return {Arg::F32, 0, f}; }
enum class Cmp { FloatRel, DoubleRel, IntExact, IntMostly };

struct Problem {
    std::string name; // also the kernel function name
    std::vector<Buf> b;
    std::vector<Arg> a;
    unsigned grid[3] = {1, 1, 1}, block[3] = {1, 1, 1};
    int out = 0;           // index of output buffer
    bool zero_out = false; // output must be zeroed before each run
    Cmp cmp = Cmp::FloatRel;
    double tol = 1e-4;
    double flops = 0, bytes = 0; // per run, for GFLOP/s and GB/s
    int n() const {
        for (auto& x : a)
            if (x.k == Arg::I32) return x.i;
        return 0;
    }
};
std::vector<std::string> problem_names();
Problem make_problem(const std::string& name, double scale = 1.0);
void free_problem(Problem& p);
// returns "" when got matches ref, else a message
std::string compare_out(const Problem& p, const void* ref, const void* got);

inline double now_ms() {
    using namespace std::chrono;
    return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}
// Process CPU time: on a shared, loaded machine this is far steadier than wall time.
inline double cpu_ms() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}
struct Stat {
    double med, min, cpu;
    int reps;
}; // wall median, wall minimum, CPU-time lower quartile (all threads)
// Runs f until `budget_ms` is used up (at least minr repetitions), after one warm-up.
inline Stat time_it(const std::function<void()>& pre, const std::function<void()>& f, double budget_ms = 1500,
                    int minr = 5, int maxr = 41) {
    pre();
    f();
    std::vector<double> t, c;
    double start = now_ms();
    while (((int)t.size() < minr && !(t.size() >= 3 && now_ms() - start > 10 * budget_ms)) ||
           (now_ms() - start < budget_ms && (int)t.size() < maxr)) {
        pre();
        double s = now_ms(), u = cpu_ms();
        f();
        t.push_back(now_ms() - s);
        c.push_back(cpu_ms() - u);
    }
    std::sort(t.begin(), t.end());
    std::sort(c.begin(), c.end());
    return {t[t.size() / 2], t[0], c[c.size() / 4], (int)t.size()};
}
