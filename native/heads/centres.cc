#include "heads/centres.h"

#include <ATen/ops/empty.h>
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

namespace {

// Rows are drawn in blocks, one after the other, as if all were drawn at once: libtorch draws normal numbers sixteen at a
// time, so blocks are multiples of that many rows.
constexpr int64_t kBlock = int64_t{1} << 12;

void draw_rows(Tensor& rows, CentreInit init, double total, const at::Generator& generator) {
  const double dims = static_cast<double>(rows.size(1));
  switch (init) {
    case CentreInit::kUnit:
      rows.uniform_(-1, 1, generator);
      rows.div_(at::linalg_vector_norm(rows, 2, {1}, /*keepdim=*/true).clamp_min_(1e-5));
      break;
    case CentreInit::kXavier: {
      const double bound = std::sqrt(6 / (total + dims));
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
}

}  // namespace

void initialise_centres(Entry& entry, const CentreSpec& spec, uint64_t seed, CentreRange range) {
  Tensor target = centre_rows(entry.value, spec.shape);
  const at::Generator generator = named_generator(seed, entry.name);
  const int64_t end = range.first + target.size(0);
  for (int64_t begin = 0; begin < end;) {
    // A short rest is drawn with the block before it.
    const int64_t left = range.total - begin, count = left < 2 * kBlock ? left : kBlock;
    Tensor block = at::empty({count, target.size(1)}, target.options().device(at::kCPU));
    draw_rows(block, spec.init, static_cast<double>(range.total), generator);
    const int64_t from = std::max(begin, range.first), to = std::min(begin + count, end);
    if (from < to) target.narrow(0, from - range.first, to - from).copy_(block.narrow(0, from - begin, to - from));
    begin += count;
  }
  ++entry.version;
}

}  // namespace facex::heads
