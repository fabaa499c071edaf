// The contract of every margin head, fused or reference.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/collective.h"
#include "core/error.h"
#include "core/state.h"
#include "core/tensor.h"

namespace facex::heads {

// Classes shared between the processes of a group: this one has those from `first` on, of `total`.
struct ClassShare {
  std::shared_ptr<Collective> group;  // null: all classes are here
  int64_t first = 0, total = 0;
};

struct HeadOptions {
  std::string name;  // as in configs/head_conf.yaml
  int64_t feat_dim = 512;
  int64_t num_class = 0;   // of this process
  ClassShare share = {};
  double sample_rate = 1;  // share of the classes that a run sees, see partial_fc.h
  std::map<std::string, double> values;       // numeric options, defaults already filled in by TypeScript
  std::map<std::string, std::string> choices; // textual options such as SST_Prototype's loss_type
  at::ScalarType dtype = at::kFloat;          // dtype of class centres and logits: kFloat or kDouble
  at::Device device = at::kCPU;
  // Where class centres, what else belongs to a class, and their optimizer state live: the device, or the CPU's memory
  // while everything is computed on the device; see partial_fc.h.
  at::Device centres_device = at::kCPU;
  // Embeddings and centres are rounded to bfloat16 for their products, which are summed in float32 and rounded again.
  // Everything that is kept stays `dtype`.
  bool bf16_products = false;
};

struct HeadResult {
  Tensor loss;             // 0-d: mean cross-entropy plus extra_loss
  Tensor extra_loss;       // 0-d or undefined: regulariser (MagFace, AdaM-Softmax)
  Tensor logits;           // [N, K], only when asked for; of the sampled classes, ascending, with a sample_rate
  // [N, D], d(grad_scale * loss) / d embeddings; undefined unless gradients were asked for. Where the classes are shared
  // the part that comes through those of this process: the sum over the ranks is the gradient.
  Tensor grad_embeddings;
};

struct HeadRequest {
  Tensor embeddings;      // [N, D], floating, not normalised
  Tensor labels;          // [N] int64 in [0, K); -1 where the classes are shared and the row's is not here
  // Prototype heads: [N, D], stands in the queue's next N slots for this run; slot i is the class of row i.
  // Distillation: what the teacher gives for the same images.
  Tensor gallery = {};
  State* centres = nullptr;  // logit distillation: state of the head whose class centres score the embeddings
  double grad_scale = 1;  // loss scaling and gradient accumulation
  bool gradients = true;  // also adds to the gradients of state()'s parameters
  bool logits = false;    // also return logits (for tests and metrics)
  uint64_t random_key = 0;  // what a run draws (the classes of Partial FC) depends on this alone
  bool adapt = true;      // update adaptive state (CurricularFace t, AdaCos scale, ...)
};

class Head {
 public:
  virtual ~Head() = default;
  // Class centres and all adaptive state, named as in PyTorch's state dict of the published head.
  virtual State& state() = 0;
  // What of a whole entry this process holds.
  virtual Part part(const std::string& entry) const { return {}; }
  virtual void initialise(uint64_t seed) = 0;
  virtual HeadResult run(const HeadRequest& request) = 0;
  // Takes features [N, D] of samples with identities labels [N] into the next N slots of the head's queue, which the
  // last run()s used for their gallery; the slots after them are next. Heads without a queue refuse.
  virtual void enqueue(const Tensor& features, const Tensor& labels) {
    fail(ErrorCode::kConfig, "enqueue: this head keeps no queue of prototypes");
  }
};

// Unknown names are ErrorCode::kConfig and list the known ones.
std::unique_ptr<Head> make_head(const HeadOptions& options);           // fused path
std::unique_ptr<Head> make_reference_head(const HeadOptions& options); // differentiable form by autograd
std::vector<std::string> head_names();

// A state entry with `width` slices along `dim` for every class.
struct ClassEntry {
  std::string name;
  int64_t dim, width;
};
// Class centres and what else belongs to a class; empty for heads without class centres.
std::vector<ClassEntry> class_entries(const HeadOptions& options);

// Of this process, or of all that share them.
inline int64_t all_classes(const HeadOptions& options) { return options.share.group ? options.share.total : options.num_class; }

}  // namespace facex::heads
