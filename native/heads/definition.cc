#include "heads/definition.h"

#include "core/error.h"
#include "heads/random.h"

namespace facex::heads {

int64_t centres_per_class(const HeadOptions& options) {
  const auto found = options.values.find("num_subcenters");
  return found == options.values.end() ? 1 : static_cast<int64_t>(found->second);
}

std::vector<ClassEntry> class_entries(const Definition& definition, const HeadOptions& options) {
  std::vector<ClassEntry> entries = {{definition.centres.name, definition.centres.shape == CentreShape::kColumns ? 1 : 0, centres_per_class(options)}};
  if (definition.extras == nullptr) return entries;
  for (const ExtraEntry& extra : definition.extras(options)) {
    if (extra.per_class) entries.push_back({extra.name, static_cast<int64_t>(extra.shape.size()) - 1, 1});
  }
  return entries;
}

State make_state(const Definition& definition, const HeadOptions& options) {
  State state;
  add_centres(state, definition.centres, options.num_class * centres_per_class(options), options);
  if (definition.extras == nullptr) return state;
  for (const ExtraEntry& extra : definition.extras(options)) {
    const auto dtype = extra.is_int64 ? at::kLong : options.dtype;
    const auto device = extra.per_class ? options.centres_device : options.device;
    state.add(extra.name, extra.kind, at::zeros(extra.shape, at::TensorOptions().dtype(dtype).device(device)));
  }
  return state;
}

void initialise_state(State& state, const Definition& definition, const HeadOptions& options, uint64_t seed) {
  const int64_t width = centres_per_class(options);
  initialise_centres(*state.find(definition.centres.name), definition.centres, seed, {options.share.first * width, all_classes(options) * width});
  if (definition.extras == nullptr) return;
  for (const ExtraEntry& extra : definition.extras(options)) {
    Entry& entry = *state.find(extra.name);
    if (extra.low == extra.high) {
      entry.value.fill_(extra.low);
    } else {
      Shape shape = extra.shape;
      if (extra.per_class) shape.back() = all_classes(options);
      Tensor drawn = at::empty(shape, at::TensorOptions().dtype(at::kDouble)).uniform_(extra.low, extra.high, named_generator(seed, extra.name));
      entry.value.copy_(extra.per_class ? drawn.narrow(-1, options.share.first, options.num_class) : drawn);
    }
    ++entry.version;
  }
}

void check_request(const HeadRequest& request, const HeadOptions& options) {
  const Tensor& embeddings = request.embeddings;
  if (embeddings.dim() != 2 || embeddings.size(0) < 1 || embeddings.size(1) != options.feat_dim) {
    fail(ErrorCode::kNative, "head ", options.name, ": expected embeddings [N, ", options.feat_dim, "] with N >= 1, got ", embeddings.sizes());
  }
  const Tensor labels = request.labels.to(at::kCPU).contiguous();
  if (labels.scalar_type() != at::kLong || labels.dim() != 1 || labels.size(0) != embeddings.size(0)) {
    fail(ErrorCode::kNative, "head ", options.name, ": expected int64 labels [", embeddings.size(0), "], got ", labels.scalar_type(), " ", labels.sizes());
  }
  const int64_t* label = labels.const_data_ptr<int64_t>();
  for (int64_t row = 0; row < labels.size(0); ++row) {
    if (label[row] >= (options.share.group ? -1 : 0) && label[row] < options.num_class) continue;
    fail(ErrorCode::kData, "head ", options.name, ": expected labels from 0 to ", options.num_class - 1, ", got ", label[row], " at row ", row, " of the batch");
  }
}

}  // namespace facex::heads
