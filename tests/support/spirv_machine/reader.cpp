// What stands before the functions: types, constants, variables.
#include "reader.h"

#include <algorithm>
#include <cstring>

namespace spirv_machine {

namespace {

constexpr uint32_t most_ids = 1 << 22;
constexpr uint64_t most_constant_scalars = 1 << 20;

/// A value that nobody should look at, and that shows when somebody does.
constexpr uint64_t nonsense = 0xa5a5a5a5a5a5a5a5;

uint64_t narrowed(uint64_t value, uint32_t bits) { return bits >= 64 ? value : value & ((uint64_t{1} << bits) - 1); }

std::string text_at(const uint32_t* words, uint32_t count) {
    const auto* text = reinterpret_cast<const char*>(words);
    return {text, strnlen(text, size_t{count} * 4)};
}

} // namespace

uint32_t Reader::Words::operator[](uint32_t i) const {
    if (i >= count) throw Malformed("instruction " + std::to_string(opcode) + " is too short");
    return at[i];
}

Reader::Reader(Module& module, std::vector<uint32_t> words)
    : module_(module), types_(module.types_), words_(std::move(words)) {
    if (words_.size() < header_words || words_[0] != magic) throw Malformed("not a SPIR-V module");
    if (words_[1] < 0x10000 || words_[1] > 0x10600) throw Malformed("an unknown version of SPIR-V");
    if (words_[3] > most_ids) throw Malformed("too many ids");
    values_.resize(words_[3]);
}

void Reader::read() {
    std::vector<Words> function;
    for (size_t at = header_words; at < words_.size();) {
        const uint32_t count = words_[at] >> 16;
        const Words words{uint16_t(words_[at]), &words_[at + 1], count - 1};
        if (count == 0 || count > words_.size() - at) throw Malformed("instructions that overlap");
        at += count;
        const bool begins = words.opcode == op_function;
        if (begins && !function.empty()) throw Malformed("a function inside a function");
        if (begins || !function.empty())
            function.push_back(words);
        else
            read_global(words);
        if (words.opcode != op_function_end) continue;
        read_function(function);
        function.clear();
    }
    if (!function.empty()) throw Malformed("a function without an end");
}

void Reader::read_global(const Words& words) {
    switch (words.opcode) {
    case op_ext_inst_import:
        if (text_at(&words.at[1], words.count - 1) == "OpenCL.std") opencl_ = words[0];
        return;
    case op_entry_point:
        if (words[0] == execution_model_kernel) entry_points_[words[1]] = text_at(&words.at[2], words.count - 2);
        return;
    case op_execution_mode:
        if (words[1] == execution_mode_subgroup_size) subgroup_sizes_[words[0]] = words[2];
        return;
    case op_decorate:
        return read_decoration(words);
    case op_variable:
        return read_module_variable(words);
    default:
        if (words.opcode >= op_type_void && words.opcode <= op_type_function) return read_type(words);
        if (words.opcode >= op_constant_true && words.opcode <= op_constant_null) return read_constant(words);
        if (words.opcode == op_undef || words.opcode == op_spec_constant_op) return read_constant(words);
        // Capabilities, names and notes are for others.
        if (words.opcode < op_type_void || words.opcode == 72 || words.opcode == 330 || words.opcode == 317) return;
        throw Malformed("instruction " + std::to_string(words.opcode) + " before the functions");
    }
}

void Reader::read_decoration(const Words& words) {
    Decorations& target = decorations_[words[0]];
    switch (words[1]) {
    case decoration_packed:
        types_.set_packed(words[0]);
        break;
    case decoration_built_in:
        target.built_in = words[2];
        break;
    case decoration_saturated:
        target.saturated = true;
        break;
    case decoration_rounding:
        if (words[2] > uint32_t(Rounding::down)) throw Malformed("an unknown rounding mode");
        target.rounding = Rounding(words[2]);
        break;
    case decoration_linkage:
        linked_[words[0]] = text_at(&words.at[2], words.count - 2);
        break;
    default:
        break; // hints
    }
}

void Reader::read_type(const Words& words) {
    Type type;
    switch (words.opcode) {
    case op_type_bool:
        type.kind = Type::boolean;
        type.bits = 1;
        break;
    case op_type_int:
    case op_type_float:
        type.kind = words.opcode == op_type_int ? Type::integer : Type::floating;
        type.bits = words[1];
        if (type.bits != 8 && type.bits != 16 && type.bits != 32 && type.bits != 64)
            throw Malformed("a number of " + std::to_string(type.bits) + " bits");
        break;
    case op_type_vector:
        type.kind = Type::vector;
        type.element = words[1];
        type.count = words[2];
        break;
    case op_type_array: {
        type.kind = Type::array;
        type.element = words[1];
        const Row length = value(words[2]).row;
        if (length >= 0) throw Malformed("an array whose length is no constant");
        type.count = module_.constants_[size_t(~length)][0];
        break;
    }
    case op_type_struct:
        type.kind = Type::structure;
        type.members.assign(words.at + 1, words.at + words.count);
        break;
    case op_type_pointer:
        type.kind = Type::pointer;
        type.bits = 64;
        type.storage = words[1];
        type.element = words[2];
        break;
    case op_type_void:
    case op_type_function:
        break;
    default:
        throw Malformed("a type of kind " + std::to_string(words.opcode));
    }
    types_.add(words[0], std::move(type));
}

Row Reader::add_constant(std::vector<uint64_t> scalars) {
    const auto first = ~Row(module_.constants_.size());
    for (uint64_t scalar : scalars) module_.constants_.emplace_back().fill(scalar);
    return first;
}

Row Reader::new_rows(uint64_t count) {
    if (count > most_constant_scalars || rows_ + count > most_constant_scalars) throw Malformed("too many values");
    const Row first = Row(rows_);
    rows_ += uint32_t(count);
    return first;
}

uint64_t Reader::literal(const Words& words, uint32_t first, uint32_t bits) const {
    const uint64_t low = words[first];
    return narrowed(bits > 32 ? low | uint64_t{words[first + 1]} << 32 : low, bits);
}

void Reader::read_constant(const Words& words) {
    const Type& type = types_.at(words[0]);
    std::vector<uint64_t> scalars;
    switch (words.opcode) {
    case op_constant_true:
    case op_constant_false:
        scalars = {words.opcode == op_constant_true};
        break;
    case op_constant:
        scalars = {literal(words, 2, type.bits)};
        break;
    case op_spec_constant_op: {
        // An address from a number or the other way round: the same bits.
        if (words[2] != op_convert_ptr_to_u && words[2] != op_convert_u_to_ptr)
            throw Malformed("a constant made by instruction " + std::to_string(words[2]));
        const Value& from = value(words[3]);
        if (from.row >= 0) throw Malformed("a constant of what is none");
        scalars = {module_.constants_[size_t(~from.row)][0]};
        break;
    }
    case op_constant_composite:
        for (uint32_t i = 2; i < words.count; i++) {
            const Value& part = value(words[i]);
            if (part.row >= 0) throw Malformed("a constant of what is none");
            for (uint64_t j = 0; j < types_.at(part.type).scalars; j++)
                scalars.push_back(module_.constants_[size_t(~part.row) + j][0]);
        }
        break;
    case op_constant_null:
    case op_undef: {
        if (type.scalars > most_constant_scalars) throw Malformed("a constant that is too large");
        const uint64_t fill = words.opcode == op_undef ? nonsense : 0;
        for (const Scalar& scalar : types_.scalars_of(type)) scalars.push_back(narrowed(fill, scalar.bits));
        break;
    }
    default:
        throw Malformed("a constant of kind " + std::to_string(words.opcode));
    }
    if (scalars.size() != type.scalars) throw Malformed("a constant that does not fit its type");
    define(words[1], words[0], add_constant(std::move(scalars)));
}

void Reader::read_module_variable(const Words& words) {
    const uint32_t storage = words[2];
    if (storage == storage_input || storage == storage_private || storage == storage_workgroup) {
        variables_.push_back(words);
        return;
    }
    if (storage != storage_cross_workgroup && storage != storage_uniform_constant)
        throw Malformed("a variable of storage class " + std::to_string(storage));
    const Type& type = types_.at(types_.at(words[0]).element);
    auto memory = std::make_unique<uint8_t[]>(type.bytes + type.alignment);
    const auto unaligned = reinterpret_cast<uint64_t>(memory.get());
    const uint64_t address = (unaligned + type.alignment - 1) / type.alignment * type.alignment;
    if (words.count > 3) {
        const Value& initial = value(words[3]);
        if (initial.row >= 0) throw Malformed("an initialiser that is no constant");
        size_t i = size_t(~initial.row);
        for (const Scalar& scalar : types_.scalars_of(type))
            std::memcpy(reinterpret_cast<uint8_t*>(address) + scalar.offset, &module_.constants_[i++][0], scalar.bytes);
    }
    module_.memory_.push_back({address, address + type.bytes});
    module_.storage_.push_back(std::move(memory));
    define(words[1], words[0], add_constant({address}));
}

Reader::Value& Reader::define(uint32_t id, uint32_t type, Row row) {
    if (id >= values_.size()) throw Malformed("an id beyond the bound");
    values_[id] = {true, type, row};
    return values_[id];
}

const Reader::Value& Reader::value(uint32_t id) const {
    if (id >= values_.size() || !values_[id].known) throw Malformed("id " + std::to_string(id) + " is no value");
    return values_[id];
}

Module::Module(std::span<const uint8_t> bytes) {
    if (bytes.size() % 4) throw Malformed("not a SPIR-V module");
    std::vector<uint32_t> words(bytes.size() / 4);
    std::memcpy(words.data(), bytes.data(), bytes.size());
    Reader(*this, std::move(words)).read();
    std::sort(memory_.begin(), memory_.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
}

const Kernel* Module::kernel(const std::string& name) const {
    for (const auto& kernel : kernels_)
        if (kernel->name == name) return kernel.get();
    return nullptr;
}

} // namespace spirv_machine
