#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Asks a driver what it answers to good and bad arguments: one call for every value of every parameter, the others
/// being good. The arguments come from the declarations in driver_api.def, so that a new row is asked, too.
namespace probe {

/// A parameter as it is declared: "const CUgraphNode* dependencies".
struct Parameter {
    std::string type, name;
};

/// One row of driver_api.def.
struct Function {
    const char* symbol;
    bool has_body; ///< in our driver
    std::vector<Parameter> parameters;
};

const std::vector<Function>& functions();
const Function* find_function(std::string_view symbol);

/// An argument as a machine word, and what to call it in the name of a case. Every parameter of the driver API but
/// `float` is one.
struct Value {
    const char* label;
    uint64_t word;
};

/// The state of the process that a call meets.
enum class Situation { before_init, usual, no_context, capturing, capturing_elsewhere };

/// One call. `changed` is the parameter whose value is not the good one, or -1, and `choice` which value it has.
struct Case {
    Situation situation = Situation::usual;
    int changed = -1;
    size_t choice = 0;
    std::string label;
    /// The handle is none of its kind: a driver may read what is there, and its answer be by chance.
    bool by_chance = false;
};

std::vector<Case> cases_of(const Function&);

/// Labels of the values that a parameter is given. The first is the good one.
std::vector<const char*> labels_of(const Parameter&);
/// The values to these labels, made by the driver. Needs a current context but for those that are no handles.
uint64_t make_value(const Function&, const Parameter&, std::string_view label);

/// Loads libcuda.so.1; false says why on standard error.
bool load_driver();
/// The driver's function, or null.
void* driver_symbol(const char* name);
/// cuInit, and the primary context of device 0 made current.
bool start_driver();
/// Makes the context current and waits for it: false when the process cannot go on with it.
bool settle();
/// The code of the call, of cuCtxSynchronize after it if that is another ("0>700"), or "absent".
std::string answer(const Function&, const Case&);

} // namespace probe
