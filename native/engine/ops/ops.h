// Factories of every op, by family; table.cc lists them.
#pragma once

#include "engine/op.h"

namespace facex::engine {

using MakeOp = std::unique_ptr<Op> (*)(const Node&);

// convolution.cc
std::unique_ptr<Op> make_conv2d(const Node&);
std::unique_ptr<Op> make_conv2d_act(const Node&);
// weighted.cc
std::unique_ptr<Op> make_linear(const Node&);
std::unique_ptr<Op> make_add_parameter(const Node&);
// batch_norm.cc
std::unique_ptr<Op> make_batch_norm(const Node&);
std::unique_ptr<Op> make_batch_norm_act(const Node&);
// norm.cc
std::unique_ptr<Op> make_layer_norm(const Node&);
std::unique_ptr<Op> make_l2_normalize(const Node&);
// activation.cc
std::unique_ptr<Op> make_prelu(const Node&);
std::unique_ptr<Op> make_relu(const Node&);
std::unique_ptr<Op> make_relu6(const Node&);
std::unique_ptr<Op> make_sigmoid(const Node&);
std::unique_ptr<Op> make_silu(const Node&);
std::unique_ptr<Op> make_hard_sigmoid(const Node&);
std::unique_ptr<Op> make_hard_swish(const Node&);
std::unique_ptr<Op> make_gelu(const Node&);
std::unique_ptr<Op> make_scale_shift(const Node&);
std::unique_ptr<Op> make_softmax(const Node&);
// operands.cc
std::unique_ptr<Op> make_add(const Node&);
std::unique_ptr<Op> make_add_channels(const Node&);
std::unique_ptr<Op> make_mul(const Node&);
std::unique_ptr<Op> make_maximum(const Node&);
std::unique_ptr<Op> make_concat(const Node&);
// pool.cc
std::unique_ptr<Op> make_max_pool2d(const Node&);
std::unique_ptr<Op> make_avg_pool2d(const Node&);
std::unique_ptr<Op> make_global_avg_pool(const Node&);
std::unique_ptr<Op> make_upsample(const Node&);
std::unique_ptr<Op> make_pad(const Node&);
// noise.cc
std::unique_ptr<Op> make_dropout(const Node&);
std::unique_ptr<Op> make_drop_path(const Node&);
// layout.cc
std::unique_ptr<Op> make_flatten(const Node&);
std::unique_ptr<Op> make_reshape(const Node&);
std::unique_ptr<Op> make_permute(const Node&);
std::unique_ptr<Op> make_slice(const Node&);
// windows.cc
std::unique_ptr<Op> make_window_partition(const Node&);
std::unique_ptr<Op> make_window_reverse(const Node&);
std::unique_ptr<Op> make_patch_merge(const Node&);
// attention.cc
std::unique_ptr<Op> make_attention(const Node&);

}  // namespace facex::engine
