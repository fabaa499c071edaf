// Every op, in the order of lib/graph/ops.ts. A plain list: static registration in a shared object gets lost at linking.
#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

class Input final : public Op {  // the executor puts the images in; never run
 public:
  Tensor forward(Forward& pass) const override { return {}; }
  void backward(Backward& pass) const override {}
};

std::unique_ptr<Op> make_input(const Node& node) { return make_op<Input>(node); }

std::vector<OpRow> rows() {
  constexpr auto kNothing = Needs::kNothing;
  constexpr auto kInputs = Needs::kInputs;
  constexpr auto kOutput = Needs::kOutput;
  return {
      {"input", 0, 0, {}, {"dims"}, kNothing, make_input},
      {"conv2d", 1, 1, {"weight", "bias?"}, {"stride", "padding", "dilation", "groups"}, kInputs, make_conv2d},
      {"conv2d_act", 1, 2, {"weight", "bias?", "slope?"}, {"stride", "padding", "dilation", "groups", "activation"}, kInputs, make_conv2d_act},
      {"linear", 1, 1, {"weight", "bias?"}, {}, kInputs, make_linear},
      {"batch_norm", 1, 1, {"weight?", "bias?", "running_mean", "running_var", "num_batches_tracked"}, {"eps", "momentum"}, kInputs, make_batch_norm},
      {"batch_norm_act", 1, 2, {"weight?", "bias?", "running_mean", "running_var", "num_batches_tracked", "slope?"}, {"eps", "momentum", "activation"}, kInputs, make_batch_norm_act},
      {"layer_norm", 1, 1, {"weight", "bias"}, {"eps"}, kInputs, make_layer_norm},
      {"prelu", 1, 1, {"weight"}, {}, kInputs, make_prelu},
      {"add_parameter", 1, 1, {"weight"}, {}, kNothing, make_add_parameter},
      {"attention", 1, 1, {"bias_table?", "index?", "mask?"}, {"heads", "scale"}, kInputs, make_attention},
      {"relu", 1, 1, {}, {}, kOutput, make_relu},
      {"relu6", 1, 1, {}, {}, kInputs, make_relu6},
      {"sigmoid", 1, 1, {}, {}, kOutput, make_sigmoid},
      {"silu", 1, 1, {}, {}, kInputs, make_silu},
      {"hard_sigmoid", 1, 1, {}, {}, kInputs, make_hard_sigmoid},
      {"hard_swish", 1, 1, {}, {}, kInputs, make_hard_swish},
      {"gelu", 1, 1, {}, {}, kInputs, make_gelu},
      {"scale_shift", 1, 1, {}, {"scale", "shift"}, kNothing, make_scale_shift},
      {"softmax", 1, 1, {}, {"dim"}, kOutput, make_softmax},
      {"l2_normalize", 1, 1, {}, {"eps"}, kOutput, make_l2_normalize},
      {"add", 2, 2, {}, {}, kNothing, make_add},
      {"add_channels", 2, 2, {}, {}, kNothing, make_add_channels},
      {"mul", 2, 2, {}, {}, kInputs, make_mul},
      {"maximum", 2, 2, {}, {}, kInputs, make_maximum},
      {"concat", 2, 64, {}, {"dim"}, kNothing, make_concat},
      {"max_pool2d", 1, 1, {}, {"kernel", "stride", "padding", "ceil_mode"}, kInputs, make_max_pool2d},
      {"avg_pool2d", 1, 1, {}, {"kernel", "stride", "padding", "ceil_mode", "count_include_pad"}, kInputs, make_avg_pool2d},
      {"global_avg_pool", 1, 1, {}, {}, kNothing, make_global_avg_pool},
      {"upsample", 1, 1, {}, {"size", "mode", "align_corners"}, kNothing, make_upsample},
      {"pad", 1, 1, {}, {"left", "right", "top", "bottom"}, kNothing, make_pad},
      {"dropout", 1, 1, {}, {"p"}, kNothing, make_dropout},
      {"drop_path", 1, 1, {}, {"p"}, kNothing, make_drop_path},
      {"flatten", 1, 1, {}, {}, kNothing, make_flatten},
      {"reshape", 1, 1, {}, {"dims"}, kNothing, make_reshape},
      {"permute", 1, 1, {}, {"order"}, kNothing, make_permute},
      {"slice", 1, 1, {}, {"dim", "start", "end"}, kNothing, make_slice},
      {"window_partition", 1, 1, {}, {"grid", "window", "shift"}, kNothing, make_window_partition},
      {"window_reverse", 1, 1, {}, {"grid", "window", "shift"}, kNothing, make_window_reverse},
      {"patch_merge", 1, 1, {}, {"grid"}, kNothing, make_patch_merge},
  };
}

}  // namespace

const std::vector<OpRow>& op_table() {
  static const std::vector<OpRow> table = rows();
  return table;
}

const OpRow* find_op(const std::string& name) {
  for (const OpRow& row : op_table()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace facex::engine
