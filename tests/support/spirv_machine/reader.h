#pragma once

#include "module.h"
#include "operations.h"
#include "order.h"

#include <map>

namespace spirv_machine {

/// Fills a Module from words.
class Reader {
  public:
    Reader(Module& module, std::vector<uint32_t> words);
    void read();

  private:
    /// One instruction's words, the first left out.
    struct Words {
        uint16_t opcode;
        const uint32_t* at;
        uint32_t count;
        uint32_t operator[](uint32_t i) const;
    };
    struct Value {
        bool known = false;
        uint32_t type = 0;
        Row row = 0;
    };
    struct Body {
        std::vector<Words> instructions;
        std::map<uint32_t, uint32_t> blocks; ///< by label, in the order of the words
        std::vector<std::vector<uint32_t>> successors;
        std::vector<size_t> begin; ///< of each block among the instructions: behind the label
    };

    void read_type(const Words&);
    void read_constant(const Words&);
    void read_decoration(const Words&);
    void read_global(const Words&);
    void read_module_variable(const Words&);
    void read_name(const Words&);

    void read_function(const std::vector<Words>&);
    Body divide(const std::vector<Words>&) const;
    void declare(Kernel&, const std::vector<Words>&);
    void declare_variable(Kernel&, const Words&);
    void read_blocks(Kernel&, const Body&);
    void read_end(Block&, const Words&, const Body&, uint32_t block);
    Edge edge(const Body&, uint32_t from, uint32_t to_label) const;
    Instruction decode(const Words&) const;
    void decode_steps(Instruction&, const Words&, uint32_t at, bool of_pointer) const;

    Value& define(uint32_t id, uint32_t type, Row row);
    const Value& value(uint32_t id) const;
    Row add_constant(std::vector<uint64_t> scalars);
    Row new_rows(uint64_t count);
    uint64_t literal(const Words&, uint32_t first, uint32_t bits) const;

    Module& module_;
    Types& types_;
    const std::vector<uint32_t> words_;
    std::vector<Value> values_;
    struct Decorations {
        uint32_t built_in = 0;
        bool saturated = false;
        Rounding rounding = Rounding::nearest;
    };
    std::map<uint32_t, Decorations> decorations_;
    std::map<uint32_t, std::string> entry_points_;
    std::map<uint32_t, uint32_t> subgroup_sizes_;
    std::map<uint32_t, std::string> linked_; ///< names of functions that other modules have, or may use
    std::vector<Words> variables_; ///< of the module, of which each warp or lane has its own
    uint32_t rows_ = 0;
    uint32_t opencl_ = 0; ///< id of the set of extended instructions
    std::vector<Place> places_;
    std::map<uint32_t, uint32_t> place_of_, latch_of_; ///< by block
};

} // namespace spirv_machine
