#include "heads/centres.h"

#include <ATen/ops/linalg_vector_norm.h>

#include "heads/random.h"

namespace facex::heads {

void add_centres(State& state, const CentreSpec& spec, int64_t count, const HeadOptions& options) {
  Tensor rows = at::zeros({count, options.feat_dim}, at::TensorOptions().dtype(options.dtype).device(options.centres_device));
  state.add(spec.name, EntryKind::kParameter, spec.shape == CentreShape::kColumns ? rows.t() : rows);
}

Tensor centre_rows(const Tensor& tensor, CentreShape shape) {
  return shape == CentreShape::kColumns ? tensor.t() : tensor;
}

void initialise_centres(Entry& entry, const CentreSpec& spec, uint64_t seed) {
  Tensor target = centre_rows(entry.value, spec.shape);
  const double count = static_cast<double>(target.size(0)), dims = static_cast<double>(target.size(1));
  Tensor rows = target.is_cpu() ? target : at::empty(target.sizes(), target.options().device(at::kCPU));
  const at::Generator generator = named_generator(seed, entry.name);
  switch (spec.init) {
    case CentreInit::kUnit:
      rows.uniform_(-1, 1, generator);
      rows.div_(at::linalg_vector_norm(rows, 2, {1}, /*keepdim=*/true).clamp_min_(1e-5));
      break;
    case CentreInit::kXavier: {
      const double bound = std::sqrt(6 / (count + dims));
      rows.uniform_(-bound, bound, generator);
      break;
    }
    case CentreInit::kFanIn: {
      const double bound = 1 / std::sqrt(dims);
      rows.uniform_(-bound, bound, generator);
      break;
    }
    case CentreInit::kNormal:
      rows.normal_(0, 0.01, generator);
      break;
  }
  if (!target.is_cpu()) target.copy_(rows);
  ++entry.version;
}

}  // namespace facex::heads
