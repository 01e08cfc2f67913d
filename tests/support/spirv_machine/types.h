#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace spirv_machine {

/// One number of a value: where it lies in memory, and how wide it is.
struct Scalar {
    uint64_t offset;
    uint32_t bytes, bits;
    bool is_float;
};

struct Type {
    enum Kind : uint8_t { none, boolean, integer, floating, vector, array, structure, pointer } kind = none;
    uint32_t bits = 0;                 ///< of boolean, integer, floating and pointer
    uint32_t element = 0;              ///< id: of vector and array; what a pointer points to
    uint64_t count = 0;                ///< of elements
    uint32_t storage = 0;              ///< of pointers
    std::vector<uint32_t> members;     ///< ids: of structure
    std::vector<uint64_t> offsets;     ///< of members
    uint64_t bytes = 0, alignment = 1; ///< in memory
    uint64_t scalars = 0;              ///< how many a value is made of
};

/// A module's types by id. Laid out as OpenCL C does.
class Types {
  public:
    /// Null unless the id is a type.
    const Type* find(uint32_t id) const;
    const Type& at(uint32_t id) const; ///< throws Malformed
    void add(uint32_t id, Type);       ///< computes the layout; `packed`: see set_packed()
    void set_packed(uint32_t id) { packed_[id] = true; }

    /// The scalars of a value in order.
    std::vector<Scalar> scalars_of(const Type&) const;
    /// Which scalar of a value of `type` a literal path leads to, and the type there.
    uint64_t first_scalar(uint32_t type, const uint32_t* path, uint32_t length, uint32_t& type_there) const;

  private:
    void collect(const Type&, uint64_t offset, std::vector<Scalar>&) const;

    std::map<uint32_t, Type> types_;
    std::map<uint32_t, bool> packed_;
};

} // namespace spirv_machine
