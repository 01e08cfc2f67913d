// Prints what things cost here; fails only when something is out of all proportion.
#include "fixture.h"

#include <algorithm>
#include <thread>

namespace cpu_test {

using LatencyTest = Cpu;

/// Median of many runs, in microseconds.
static double median(int count, const std::function<void()>& function) {
    std::vector<double> times;
    for (int i = 0; i < count; i++) times.push_back(milliseconds(function) * 1000);
    std::nth_element(times.begin(), times.begin() + count / 2, times.end());
    return times[size_t(count) / 2];
}

TEST_F(LatencyTest, LaunchAndSynchronise) {
    const auto launch_and_wait = [&] {
        launch(*queue, "empty", {});
        queue->synchronize();
    };
    launch_and_wait();
    const double warm = median(2000, launch_and_wait);
    std::vector<double> after_sleep;
    for (int i = 0; i < 31; i++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        after_sleep.push_back(milliseconds(launch_and_wait) * 1000);
    }
    std::nth_element(after_sleep.begin(), after_sleep.begin() + 15, after_sleep.end());
    const double cold = after_sleep[15];
    const double enqueue = milliseconds([&] {
        for (int i = 0; i < 1000; i++) launch(*queue, "empty", {});
    });
    queue->synchronize();
    const double throughput = milliseconds([&] {
        for (int i = 0; i < 10'000; i++) launch(*queue, "empty", {});
        queue->synchronize();
    });
    const double through_worker = median(500, [&] {
        launch(*queue, "empty", {});
        while (!queue->idle()) {
        }
    });
    Array<uint64_t> counter(1);
    const double fibers = median(200, [&] {
        launch(*queue, "count_fibers", {{1}, {256}}, {counter.address()});
        queue->synchronize();
    });
    Array<uint32_t> out(256);
    const double barrier_ms = milliseconds([&] {
        launch(*queue, "many_barriers", {{1}, {256}, 1024}, {out.address(), 5000});
        queue->synchronize();
    });
    const double marker = median(1000, [&] { queue->mark(true)->wait(); });
    std::printf("launch + synchronise: %.1f us warm, %.1f us after 2 ms of sleep; polled: %.1f us\n", warm, cold,
                through_worker);
    std::printf("enqueue: %.2f us; back to back: %.2f us a launch; marker + wait: %.1f us\n", enqueue, throughput / 10,
                marker);
    std::printf("256 fibers, one barrier: %.1f us; barrier of 256 threads: %.2f us\n", fibers,
                barrier_ms * 1000 / 10'000);
    EXPECT_LT(warm, 2000);
}

TEST_F(LatencyTest, Copies) {
    constexpr size_t bytes = 64 << 20;
    Array<uint8_t> a(bytes, 1), b(bytes, 2);
    const double ours = median(10, [&] {
        queue->copy({a.address(), b.address(), bytes});
        queue->synchronize();
    });
    const double plain = median(10, [&] { std::copy_n(b.data(), bytes, a.data()); });
    std::printf("copy of 64 MiB: %.1f GB/s, memcpy %.1f GB/s\n", bytes / ours / 1000, bytes / plain / 1000);
    EXPECT_LT(ours, plain * 20);
}

} // namespace cpu_test
