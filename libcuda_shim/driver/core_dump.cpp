#include "rt/core_dump.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"

#include <algorithm>
#include <cstring>

// CUDA driver API, "Coredump Attributes Control". Sizes and what is refused follow an H100's driver: sizes are exact,
// but for names; no value, nothing to do. The process is never aborted, whatever the attributes say.
namespace shim {
namespace {

using rt::CoreDumpSettings;

constexpr size_t longest_name = 1024; ///< with its null

enum class Kind : uint8_t { boolean, number, name };

struct Attribute {
    int number;
    Kind kind;
    bool of_contexts; ///< else of the process only
};

constexpr Attribute attributes[] = {
    {CU_COREDUMP_ENABLE_ON_EXCEPTION, Kind::boolean, true},
    {CU_COREDUMP_TRIGGER_HOST, Kind::boolean, true},
    {CU_COREDUMP_LIGHTWEIGHT, Kind::boolean, true},
    {CU_COREDUMP_ENABLE_USER_TRIGGER, Kind::boolean, false},
    {CU_COREDUMP_FILE, Kind::name, true},
    {CU_COREDUMP_PIPE, Kind::name, false},
    {CU_COREDUMP_GENERATION_FLAGS, Kind::number, true},
};

const Attribute& attribute_of(int number, bool of_context) {
    const auto found = std::ranges::find(attributes, number, &Attribute::number);
    require_value(found != std::end(attributes) && (!of_context || found->of_contexts), "no such attribute");
    return *found;
}

void check_size(const Attribute& attribute, size_t size) {
    if (attribute.kind == Kind::boolean) require_value(size == 1, "a truth value has one byte");
    if (attribute.kind == Kind::number) require_value(size == sizeof(uint32_t), "flags have four bytes");
}

bool boolean(const CoreDumpSettings& s, int number) {
    switch (number) {
    case CU_COREDUMP_ENABLE_ON_EXCEPTION:
        return s.enabled;
    case CU_COREDUMP_TRIGGER_HOST:
        return !(s.flags & CoreDumpSettings::skip_abort);
    case CU_COREDUMP_LIGHTWEIGHT:
        return (s.flags & CoreDumpSettings::lightweight) == CoreDumpSettings::lightweight;
    }
    return false;
}

void set_boolean(CoreDumpSettings& s, int number, bool value) {
    const auto flags = [&](uint32_t bits, bool on) { s.flags = on ? s.flags | bits : s.flags & ~bits; };
    switch (number) {
    case CU_COREDUMP_ENABLE_ON_EXCEPTION:
        s.enabled = value;
        return;
    case CU_COREDUMP_TRIGGER_HOST:
        return flags(CoreDumpSettings::skip_abort, !value);
    case CU_COREDUMP_LIGHTWEIGHT:
        return flags(CoreDumpSettings::lightweight, value);
    }
    if (value) throw Error(Status::not_supported, "dumps are written when a kernel faults, not when a pipe says so");
}

void get(const CoreDumpSettings& s, int number, bool of_context, void* value, size_t* size) {
    const Attribute& attribute = attribute_of(number, of_context);
    require_value(size, "size is null");
    if (!value) return;
    check_size(attribute, *size);
    if (attribute.kind == Kind::boolean) {
        *static_cast<uint8_t*>(value) = boolean(s, number);
    } else if (attribute.kind == Kind::number) {
        std::memcpy(value, &s.flags, sizeof s.flags);
    } else if (*size) {
        const std::string& name = number == CU_COREDUMP_FILE ? s.file : s.pipe;
        std::memset(value, 0, *size);
        std::memcpy(value, name.data(), std::min(name.size(), *size - 1));
    }
}

/// False when there is nothing to change.
bool set(CoreDumpSettings& s, int number, bool of_context, const void* value, const size_t* size) {
    const Attribute& attribute = attribute_of(number, of_context);
    require_value(size, "size is null");
    if (!value) return false;
    check_size(attribute, *size);
    if (attribute.kind == Kind::boolean) {
        set_boolean(s, number, *static_cast<const uint8_t*>(value) != 0);
    } else if (attribute.kind == Kind::number) {
        uint32_t flags = 0;
        std::memcpy(&flags, value, sizeof flags);
        require_value((flags & ~CoreDumpSettings::all_flags) == 0, "unknown flags");
        s.flags = flags;
    } else {
        require_value(*size <= longest_name, "the name is too long");
        const auto* text = static_cast<const char*>(value);
        (number == CU_COREDUMP_FILE ? s.file : s.pipe).assign(text, strnlen(text, *size));
    }
    return true;
}

} // namespace

Status driver::cuCoredumpGetAttribute(CUcoredumpSettings attribute, void* value, size_t* size) {
    get(rt::core_dump::settings_of(rt::Context::current()), attribute, true, value, size);
    return Status::success;
}

Status driver::cuCoredumpGetAttributeGlobal(CUcoredumpSettings attribute, void* value, size_t* size) {
    get(rt::core_dump::defaults(), attribute, false, value, size);
    return Status::success;
}

Status driver::cuCoredumpSetAttribute(CUcoredumpSettings attribute, void* value, size_t* size) {
    rt::Context& context = rt::Context::current();
    CoreDumpSettings settings = rt::core_dump::settings_of(context);
    if (set(settings, attribute, true, value, size)) rt::core_dump::set_settings(context, settings);
    return Status::success;
}

Status driver::cuCoredumpSetAttributeGlobal(CUcoredumpSettings attribute, void* value, size_t* size) {
    CoreDumpSettings settings = rt::core_dump::defaults();
    if (set(settings, attribute, false, value, size)) rt::core_dump::set_defaults(settings);
    return Status::success;
}

} // namespace shim
