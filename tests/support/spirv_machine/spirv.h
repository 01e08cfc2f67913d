#pragma once

#include <cstdint>

/// Numbers of the SPIR-V 1.4 specification, as far as kernels of ours use them.
namespace spirv_machine {

inline constexpr uint32_t magic = 0x07230203;
inline constexpr uint32_t header_words = 5;

/// 3.32. Instructions that do arithmetic and the like are rows of operations.h, with their numbers there.
enum Opcode : uint16_t {
    op_undef = 1,
    op_name = 5,
    op_ext_inst_import = 11,
    op_ext_inst = 12,
    op_entry_point = 15,
    op_execution_mode = 16,
    op_capability = 17,
    op_type_void = 19,
    op_type_bool = 20,
    op_type_int = 21,
    op_type_float = 22,
    op_type_vector = 23,
    op_type_array = 28,
    op_type_struct = 30,
    op_type_pointer = 32,
    op_type_function = 33,
    op_constant_true = 41,
    op_constant_false = 42,
    op_constant = 43,
    op_constant_composite = 44,
    op_constant_null = 46,
    op_spec_constant_op = 52,
    op_function = 54,
    op_function_parameter = 55,
    op_function_end = 56,
    op_function_call = 57,
    op_variable = 59,
    op_decorate = 71,
    op_convert_ptr_to_u = 117,
    op_convert_u_to_ptr = 120,
    op_phi = 245,
    op_label = 248,
    op_branch = 249,
    op_branch_conditional = 250,
    op_switch = 251,
    op_return = 253,
    op_return_value = 254,
    op_unreachable = 255,
};

/// 3.7.
enum StorageClass : uint32_t {
    storage_uniform_constant = 0,
    storage_input = 1,
    storage_workgroup = 4,
    storage_cross_workgroup = 5,
    storage_private = 6,
    storage_function = 7,
    storage_generic = 8,
};

/// 3.20.
enum Decoration : uint32_t {
    decoration_packed = 10,
    decoration_built_in = 11,
    decoration_saturated = 28,
    decoration_rounding = 39,
    decoration_linkage = 41,
};

/// 3.16: how an operand decorated so is rounded.
enum class Rounding : uint8_t { nearest = 0, zero = 1, up = 2, down = 3 };

/// 3.21.
enum BuiltIn : uint32_t {
    built_in_num_workgroups = 24,
    built_in_workgroup_size = 25,
    built_in_workgroup_id = 26,
    built_in_local_invocation_id = 27,
    built_in_global_invocation_id = 28,
    built_in_local_invocation_index = 29,
    built_in_global_size = 31,
    built_in_enqueued_workgroup_size = 32,
    built_in_global_offset = 33,
    built_in_subgroup_size = 36,
    built_in_subgroup_max_size = 37,
    built_in_num_subgroups = 38,
    built_in_subgroup_id = 40,
    built_in_subgroup_local_invocation_id = 41,
};

/// 3.27.
enum Scope : uint32_t { scope_device = 1, scope_workgroup = 2, scope_subgroup = 3 };

inline constexpr uint32_t execution_mode_subgroup_size = 35; ///< 3.6
inline constexpr uint32_t execution_model_kernel = 6;        ///< 3.3

} // namespace spirv_machine
