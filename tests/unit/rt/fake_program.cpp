#include "fake_backend.h"

#include "rt/module.h"

#include <thread>

namespace fake {

FakeProgram& program(const std::string& text) {
    static std::map<std::string, FakeProgram> all;
    return all[text];
}

} // namespace fake

// rt::Program, in place of the real one: no text is parsed, nothing is translated.
namespace rt {

struct Program::State {
    fake::FakeProgram* program = nullptr;
};

Program::Program() : state_(std::make_shared<State>()) {}
Program::~Program() = default;

std::shared_ptr<Program> Program::load(const ModuleSource& source, const JitOptions&) {
    std::shared_ptr<Program> made(new Program);
    made->state_->program = &fake::program(source.ptx.at(0));
    made->info_ = made->state_->program->info;
    return made;
}

std::shared_ptr<const ptx::Image> Program::translate(const std::string& name, const ptx::Target& target) {
    auto& fake = *state_->program;
    fake.translations++;
    int now = ++fake.now, most = fake.most_at_once;
    while (most < now && !fake.most_at_once.compare_exchange_weak(most, now)) {
    }
    std::this_thread::sleep_for(fake.translation_time);
    fake.now--;
    auto image = std::make_shared<ptx::Image>();
    image->target = target;
    auto kernel = *info_.kernel(name);
    kernel.translated = true;
    const auto shared = fake.static_shared_bytes.find(name); // only read: translations run side by side
    kernel.static_shared_bytes = shared == fake.static_shared_bytes.end() ? 0 : shared->second;
    kernel.registers = 40;
    kernel.local_bytes = 16;
    kernel.divided = fake.divided;
    kernel.tile_columns = target.columns;
    kernel.tile_rows = target.rows;
    image->kernels.push_back(kernel);
    return image;
}

std::shared_ptr<const ptx::Image> Program::translate_later(const std::string& name, const ptx::Target& target) {
    auto& fake = *state_->program;
    fake.later.insert(target.name());
    if (fake.later_fails) throw Error(Status::invalid_ptx, "no");
    return fake.later_is_now ? translate(name, target) : nullptr;
}

bool Program::divides_blocks() const { return state_->program->divided; }

std::shared_ptr<const ptx::Image> Program::translate_functions(const ptx::Target& target) {
    auto image = std::make_shared<ptx::Image>();
    image->target = target;
    for (auto& name : info_.functions_in_data) image->functions.push_back({name, name});
    return image;
}

} // namespace rt
