#pragma once

#include "fake_backend.h"
#include "rt/context.h"
#include "rt/device.h"
#include "rt/memory.h"
#include "rt/module.h"
#include "rt/stream.h"

#include <gtest/gtest.h>

/// The status that `call` throws; success when it throws nothing.
template <class F> rt::Status status_of(F&& call) {
    try {
        call();
    } catch (const rt::Error& error) {
        return error.status();
    }
    return rt::Status::success;
}

inline std::shared_ptr<rt::Program> load_program(const std::string& text) { return rt::Program::load({{text}}, {}); }

/// A device with a context and a module whose kernels "a" to "e" leave their names in fake.done, and "fault:<n>" die.
class RuntimeTest : public testing::Test {
  protected:
    RuntimeTest() {
        auto& info = fake::program("letters").info;
        if (info.kernels.empty()) {
            info.target = "sm_80";
            for (const char* name :
                 {"a", "b", "c", "d", "e", "fault:1", "fault:2", "fault:3", "fault:4", "fault:5", "fault:6", "fault:7"}) {
                ptx::KernelInfo kernel;
                kernel.name = name;
                info.kernels.push_back(kernel);
            }
        }
        context = std::make_unique<rt::Context>(device, 0, false);
        module = new rt::Module(*context, load_program("letters"));
    }
    void launch(const char* kernel, rt::Stream& stream) { module->function(kernel)->launch(stream, {}, {}, 0, {}); }
    rt::Stream& create_stream(unsigned flags = 0) {
        return *new rt::Stream(*context, flags, 0, rt::Stream::Role::created); // dies with the context
    }
    int markers() const {
        int sum = 0;
        for (auto* queue : fake.queues) sum += queue->markers;
        return sum;
    }

    static constexpr unsigned non_blocking = 1;
    fake::FakeDevice fake;
    rt::Device device{0, fake};
    std::unique_ptr<rt::Context> context;
    rt::Module* module; ///< the context's
};
