#include "text_to_ast/parser.h"

#include "ptx/texture_abi.h"

#include <bit>

// PTX ISA 5.4.4, 5.4.5: initial values.
namespace ptx::text_to_ast {

void Parser::initializer(Variable& variable, std::vector<uint64_t> extents) {
    variable.has_initializer = true;
    if (kind_of(variable.type) == TypeKind::opaque) return initialize_opaque(variable);
    const bool open_ended = variable.is_unsized;
    if (variable.lanes > 1) extents.push_back(variable.lanes);
    const uint64_t inner = open_ended ? variable.element_count * variable.lanes : 0;
    const uint64_t count = open_ended ? largest_variable : variable.element_count * variable.lanes;
    std::vector<uint64_t> strides(extents.size() + 1, 1);
    for (size_t i = extents.size(); i-- > 1;) strides[i - 1] = strides[i] * extents[i];
    if (!at('{')) {
        if (variable.is_array) fail("expected '{', found " + found());
        return initialize_element(variable, 0);
    }
    const uint64_t used = initialize_aggregate(variable, strides, 0, 0, count);
    if (!open_ended) return;
    variable.is_unsized = false;
    variable.element_count = inner == 0 ? 0 : (used + inner - 1) / inner * (inner / variable.lanes);
}

// Like C: braces stand for one dimension, plain values fill on, what is missing is zero.
uint64_t Parser::initialize_aggregate(Variable& variable, const std::vector<uint64_t>& strides, size_t level,
                                      uint64_t first, uint64_t count) {
    const Nested nested(*this);
    const uint64_t stride = level < strides.size() ? strides[level] : 1;
    uint64_t used = 0;
    expect('{');
    while (!at('}')) {
        if (used >= count) fail("more initial values than elements");
        if (at('{')) {
            if (stride == 0 || used % stride != 0) fail("braces in the middle of a row");
            initialize_aggregate(variable, strides, level + 1, first + used, std::min(stride, count - used));
            used += stride;
        } else {
            initialize_element(variable, first + used);
            ++used;
        }
        if (!accept(',')) break;
    }
    expect('}');
    return used;
}

void Parser::initialize_element(Variable& variable, uint64_t index) {
    const unsigned size = size_of(variable.type);
    const uint64_t offset = index * size;
    if (at(TokenKind::identifier) && token_.text != "WARP_SZ") {
        Relocation relocation;
        relocation.offset = offset;
        relocation.size = static_cast<uint8_t>(size);
        symbol_address(relocation);
        variable.relocations.push_back(std::move(relocation));
        return;
    }
    const Constant value = constant_expression();
    if (at('(') && !value.is_floating()) return masked_element(variable, offset, value.bits);
    store(variable, offset, value);
}

// `0xFF00(symbol)`: one byte of an address. PTX ISA 5.4.5.
void Parser::masked_element(Variable& variable, uint64_t offset, uint64_t mask) {
    const unsigned shift = mask == 0 ? 64 : static_cast<unsigned>(std::countr_zero(mask));
    if (size_of(variable.type) != 1 || shift % 8 != 0 || shift > 56 || mask >> shift != 0xff)
        fail("a mask must select one byte, for an array of bytes");
    Relocation relocation;
    relocation.offset = offset;
    relocation.size = 1;
    relocation.mask_shift = static_cast<uint8_t>(shift);
    expect('(');
    symbol_address(relocation);
    expect(')');
    variable.relocations.push_back(std::move(relocation));
}

// `symbol`, `generic(symbol)`, each with `+ n` or `- n` inside or after.
void Parser::symbol_address(Relocation& relocation) {
    relocation.where = where();
    relocation.symbol = expect_identifier("the name of a variable or function");
    relocation.generic = relocation.symbol == "generic" && at('(');
    if (relocation.generic) {
        advance();
        relocation.where = where();
        relocation.symbol = expect_identifier("the name of a variable");
        relocation.addend = byte_offset();
        expect(')');
    }
    const auto inner = static_cast<uint64_t>(relocation.addend);
    relocation.addend = static_cast<int64_t>(inner + static_cast<uint64_t>(byte_offset()));
}

namespace {

/// What a property says of a sampler, as bits of texture::literal_sampler. PTX ISA 5.3.
uint64_t sampler_bits(std::string_view property, std::string_view value) {
    if (property == "filter_mode") return value == "linear";
    if (!property.starts_with("addr_mode_")) return 0;
    const auto dimension = static_cast<unsigned>(property.back() - '0');
    if (dimension > 2) return 0;
    uint64_t mode = 1; // clamp_ogl, clamp_to_edge
    if (value == "wrap") mode = 0;
    if (value == "mirror") mode = 2;
    if (value == "clamp_to_border") mode = 3;
    return mode << (1 + 2 * dimension);
}

} // namespace

// Texture and sampler properties, `{ filter_mode = linear }`. Of a texture or surface the runtime sets them all, and
// nothing is kept; a sampler has no other source. PTX ISA 5.3.
void Parser::initialize_opaque(Variable& variable) {
    expect('{');
    uint64_t bits = texture::literal_sampler;
    while (!at('}')) {
        const std::string property(expect_identifier("a property"));
        expect('=');
        if (at(TokenKind::identifier)) {
            bits |= sampler_bits(property, token_.text);
            advance();
        } else if (constant_expression().bits != 0 && property == "force_unnormalized_coords") {
            bits |= texture::literal_unnormalized;
        }
        if (!accept(',')) break;
    }
    expect('}');
    if (variable.type == Type::samplerref) write_bytes(variable, 0, bits, 8);
}

void Parser::write_bytes(Variable& variable, uint64_t offset, uint64_t bits, unsigned bytes) {
    if (bits == 0) return;
    const uint64_t size = offset + bytes;
    if (size > variable.bytes.size()) {
        initial_bytes_ += size - variable.bytes.size();
        if (initial_bytes_ > most_initial_bytes) fail("too much initialised data");
        variable.bytes.resize(size);
    }
    for (unsigned i = 0; i < bytes && i < 8; ++i) variable.bytes[offset + i] = static_cast<uint8_t>(bits >> 8 * i);
}

void Parser::store(Variable& variable, uint64_t offset, const Constant& value) {
    const unsigned size = size_of(variable.type);
    const auto single = [&] {
        return value.is_single ? value.single_bits : std::bit_cast<uint32_t>(static_cast<float>(value.as_double()));
    };
    const bool integer_type = kind_of(variable.type) != TypeKind::floating;
    if (!value.is_floating() && integer_type) return write_bytes(variable, offset, value.bits, size);
    if (variable.type == Type::f32 || variable.type == Type::b32) return write_bytes(variable, offset, single(), 4);
    if (variable.type != Type::f64 && variable.type != Type::b64)
        fail("a ." + std::string(name_of(variable.type)) + " variable cannot have this initial value");
    write_bytes(variable, offset, value.is_floating() ? value.double_bits : std::bit_cast<uint64_t>(value.as_double()),
                8);
}

} // namespace ptx::text_to_ast
