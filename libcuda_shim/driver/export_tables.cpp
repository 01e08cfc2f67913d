#include "driver/export_tables.h"

#include "api/bodies.h"
#include "api/enter.h"
#include "driver/handles.h"
#include "driver/integrity.h"
#include "driver/loading.h"
#include "rt/platform.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace shim {
namespace {

// The entries are called through plain pointers; each passes through enter() like an export.
template <class... A> auto print(const Entry& entry, A... arguments) {
    return [&entry, arguments...]() noexcept { return detail::format_arguments(entry, arguments...); };
}

void* word(size_t value) { return reinterpret_cast<void*>(value); }

// ---- CUDART_INTERFACE: [2] gives a device's primary context without retaining it. Cudarts before 12 load their
// modules through [1], [6] and [8].

rt::Status load_wrapper(CUmodule* module, const void* image) {
    out(module, "module");
    rt::Context& context = rt::Context::current();
    auto program = load_program(image, 0, context.device());
    *module = handle_of(*new rt::Module(context, std::move(program)));
    return rt::Status::success;
}

CUresult cudart_module(CUmodule* module, const void* wrapper) {
    static constexpr Entry entry{"CUDART_INTERFACE[1]", "(module, wrapper)", Needs::context};
    return enter(
        entry, [&] { return load_wrapper(module, wrapper); }, print(entry, module, wrapper));
}

CUresult cudart_primary_context(CUcontext* context, CUdevice device) {
    static constexpr Entry entry{"CUDART_INTERFACE[2]", "(context, device)", Needs::init};
    return enter(
        entry,
        [&] {
            out(context, "context") = handle_of(device_of(device).primary());
            return rt::Status::success;
        },
        print(entry, context, device));
}

CUresult cudart_module_extended(CUmodule* module, const void* wrapper, void*, void*, unsigned) {
    static constexpr Entry entry{"CUDART_INTERFACE[6]", "(module, wrapper)", Needs::context};
    return enter(
        entry, [&] { return load_wrapper(module, wrapper); }, print(entry, module, wrapper));
}

CUresult cudart_module_of_binary(const void* binary, CUmodule* module, void*, void*, unsigned) {
    static constexpr Entry entry{"CUDART_INTERFACE[8]", "(binary, module)", Needs::context};
    return enter(
        entry, [&] { return load_wrapper(module, binary); }, print(entry, binary, module));
}

// Tells the driver something that has no answer; its meaning is not known.
void cudart_notice(size_t) {}

// Cudart 13.1 asks for the PTX compiler to be there; ours is found when the first module needs it.
CUresult cudart_load_compilers() { return 0; }

const void* const cudart_interface[13] = {
    word(sizeof cudart_interface), (void*)cudart_module, (void*)cudart_primary_context,  nullptr, nullptr, nullptr,
    (void*)cudart_module_extended, (void*)cudart_notice, (void*)cudart_module_of_binary, nullptr, nullptr, nullptr,
    (void*)cudart_load_compilers};

// ---- TOOLS_RUNTIME_CALLBACK_HOOKS: flags that say which callbacks a profiler wants. All zero: none.

void* callback_flags[1024];
void* callback_state[14];

void hooks_flags(void** buffer, size_t* words) {
    *buffer = callback_flags;
    *words = std::size(callback_flags);
}

void hooks_state(void** buffer, size_t* words) {
    *buffer = callback_state;
    *words = std::size(callback_state);
}

const void* const callback_hooks[7] = {
    word(sizeof callback_hooks), nullptr, (void*)hooks_flags, nullptr, nullptr, nullptr, (void*)hooks_state};

// ---- TOOLS_TLS: [2] gives the calling thread's context. What the others do is not known, so they refuse by name.

CUresult tools_tls() {
    static constexpr Entry entry{"TOOLS_TLS", "()"};
    return enter_stub(entry, print(entry));
}

CUresult thread_context(CUcontext* context) {
    static constexpr Entry entry{"TOOLS_TLS[2]", "(context)", Needs::init};
    return enter(
        entry,
        [&] {
            rt::Context* current = rt::Context::current_or_null();
            out(context, "context") = current ? handle_of(*current) : nullptr;
            return rt::Status::success;
        },
        print(entry, context));
}

const void* const thread_storage[4] = {word(sizeof thread_storage), (void*)tools_tls, (void*)thread_context,
                                       (void*)tools_tls};

// ---- CONTEXT_LOCAL_STORAGE: cudart's own state in a context. Every call of the runtime API asks [2] first.

CUresult storage_put(CUcontext context, void* key, void* value, rt::Context::StorageDestructor destructor) {
    static constexpr Entry entry{"CONTEXT_LOCAL_STORAGE[0]", "(context, key, value)", Needs::init};
    return enter(
        entry,
        [&] {
            context_or_current(context).put_storage(key, value, destructor);
            return rt::Status::success;
        },
        print(entry, context, key, value));
}

CUresult storage_remove(CUcontext context, void* key) {
    static constexpr Entry entry{"CONTEXT_LOCAL_STORAGE[1]", "(context, key)", Needs::init};
    return enter(
        entry,
        [&] {
            const bool found = context_or_current(context).remove_storage(key);
            return found ? rt::Status::success : rt::Status::invalid_handle;
        },
        print(entry, context, key));
}

CUresult storage_get(void** value, CUcontext context, void* key) {
    static constexpr Entry entry{"CONTEXT_LOCAL_STORAGE[2]", "(value, context, key)", Needs::init};
    return enter(
        entry,
        [&] {
            rt::Context* owner = context ? &context_of(context) : rt::Context::current_or_null();
            if (!owner) return rt::Status::invalid_context;
            void* const* found = owner->find_storage(key);
            if (!found) return rt::Status::invalid_handle;
            out(value, "value") = *found;
            return rt::Status::success;
        },
        print(entry, value, context, key));
}

const void* const context_storage[4] = {(void*)storage_put, (void*)storage_remove, (void*)storage_get, nullptr};

// ---- CONTEXT_CHECKS: whether a context may be used by the runtime: 0, it may.

CUresult check_context(CUcontext context, uint32_t* verdict, const void** detail_out) {
    static constexpr Entry entry{"CONTEXT_CHECKS[2]", "(context, verdict, detail)", Needs::init};
    return enter(
        entry,
        [&] {
            out(verdict, "verdict") = 0;
            if (detail_out) *detail_out = nullptr;
            return rt::Status::success;
        },
        print(entry, context, verdict, detail_out));
}

uint32_t check_process() { return 0; }

const void* const context_checks[4] = {word(sizeof context_checks), nullptr, (void*)check_context,
                                       (void*)check_process};

// ---- CONTEXT_INTERFACE: cudart since 13.4 does nothing without this table, of which it calls nothing; libraries tell
// contexts apart by [4]. What the others do is not known well enough, so they refuse by name.

CUresult context_interface() {
    static constexpr Entry entry{"CONTEXT_INTERFACE", "()"};
    return enter_stub(entry, print(entry));
}

CUresult context_number(CUcontext context, unsigned long long* number) {
    static constexpr Entry entry{"CONTEXT_INTERFACE[4]", "(context, number)", Needs::init};
    return enter(
        entry, [&] { return driver::cuCtxGetId(context, number); }, print(entry, context, number));
}

const struct ContextTable {
    const void* entries[95];
    ContextTable() {
        std::fill(std::begin(entries), std::end(entries), (void*)context_interface);
        entries[0] = word(sizeof entries);
        entries[4] = (void*)context_number;
    }
} context_table;

// ---- INTEGRITY_CHECK

CUresult integrity_check(uint32_t version, uint64_t unix_seconds, uint64_t* answer);

const void* const integrity_table[3] = {word(sizeof integrity_table), (void*)integrity_check, nullptr};

CUresult integrity_check(uint32_t version, uint64_t unix_seconds, uint64_t* answer) {
    static constexpr Entry entry{"INTEGRITY_CHECK[1]", "(version, seconds, answer)", Needs::init};
    return enter(
        entry,
        [&] {
            const auto words = integrity_answer(version, unix_seconds, cudart_interface, integrity_table,
                                                (const void*)integrity_check);
            std::memcpy(&out(answer, "answer"), words.data(), sizeof words);
            return rt::Status::success;
        },
        print(entry, version, unix_seconds, answer));
}

struct Table {
    uint8_t uuid[16];
    const void* const* entries;
};

// clang-format off
constexpr Table tables[] = {
    {{0x6b, 0xd5, 0xfb, 0x6c, 0x5b, 0xf4, 0xe7, 0x4a, 0x89, 0x87, 0xd9, 0x39, 0x12, 0xfd, 0x9d, 0xf9}, cudart_interface},
    {{0xa0, 0x94, 0x79, 0x8c, 0x2e, 0x74, 0x2e, 0x74, 0x93, 0xf2, 0x08, 0x00, 0x20, 0x0c, 0x0a, 0x66}, callback_hooks},
    {{0x42, 0xd8, 0x5a, 0x81, 0x23, 0xf6, 0xcb, 0x47, 0x82, 0x98, 0xf6, 0xe7, 0x8a, 0x3a, 0xec, 0xdc}, thread_storage},
    {{0xc6, 0x93, 0x33, 0x6e, 0x11, 0x21, 0xdf, 0x11, 0xa8, 0xc3, 0x68, 0xf3, 0x55, 0xd8, 0x95, 0x93}, context_storage},
    {{0x26, 0x3e, 0x88, 0x60, 0x7c, 0xd2, 0x61, 0x43, 0x92, 0xf6, 0xbb, 0xd5, 0x00, 0x6d, 0xfa, 0x7e}, context_checks},
    {{0xd4, 0x08, 0x20, 0x55, 0xbd, 0xe6, 0x70, 0x4b, 0x8d, 0x34, 0xba, 0x12, 0x3c, 0x66, 0xe1, 0xf2}, integrity_table},
    {{0x21, 0x31, 0x8c, 0x60, 0x97, 0x14, 0x32, 0x48, 0x8c, 0xa6, 0x41, 0xff, 0x73, 0x24, 0xc8, 0xf2}, context_table.entries},
};
// clang-format on

} // namespace

const void* const* find_export_table(const CUuuid& uuid) {
    for (const Table& table : tables) {
        if (std::memcmp(table.uuid, uuid.bytes, sizeof table.uuid) == 0) return table.entries;
    }
    return nullptr;
}

} // namespace shim
