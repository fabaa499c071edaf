// The table of heads.
#include "core/error.h"
#include "heads/definition.h"
#include "heads/fused/policies.h"
#include "heads/metric/metric_heads.h"
#include "heads/partial_fc.h"
#include "heads/reference/forms.h"
#include "heads/reference/reference_head.h"

namespace facex::heads {

namespace {

const CentreSpec kUnitWeight{"weight", CentreShape::kColumns, CentreInit::kUnit};
const CentreSpec kUnitKernel{"kernel", CentreShape::kColumns, CentreInit::kUnit};
const CentreSpec kNormalKernel{"kernel", CentreShape::kColumns, CentreInit::kNormal};
const CentreSpec kNormalRows{"weight", CentreShape::kRows, CentreInit::kNormal};
const CentreSpec kFanInRows{"weight", CentreShape::kRows, CentreInit::kFanIn};
const CentreSpec kXavierRows{"weight", CentreShape::kRows, CentreInit::kXavier};

// Heads that keep no class centres.
const CentreSpec kNone{"", CentreShape::kColumns, CentreInit::kUnit};

const CentreSpec kQueue{"queue", CentreShape::kColumns, CentreInit::kUnit};

std::vector<ExtraEntry> ada_cos_state(const HeadOptions& options) {
  const double scale = std::sqrt(2.0) * std::log(std::max<double>(static_cast<double>(all_classes(options)) - 1, 1));
  return {{"scale", EntryKind::kBuffer, {1}, std::max(scale, 1.0), std::max(scale, 1.0)}};
}

std::vector<ExtraEntry> ada_face_state(const HeadOptions&) {
  return {{"batch_mean", EntryKind::kBuffer, {1}, 20, 20}, {"batch_std", EntryKind::kBuffer, {1}, 100, 100}};
}

std::vector<ExtraEntry> adam_state(const HeadOptions& options) {
  return {{"adam", EntryKind::kParameter, {1, options.num_class}, 0.3, 0.4, /*is_int64=*/false, /*per_class=*/true}};
}

std::vector<ExtraEntry> curricular_state(const HeadOptions&) { return {{"t", EntryKind::kBuffer, {1}, 0, 0}}; }

std::vector<ExtraEntry> elastic_state(const HeadOptions&) {
  return {{"stream", EntryKind::kBuffer, {1}, 0, 0x7FFFFFFF, true}, {"step", EntryKind::kBuffer, {1}, 0, 0, true}};
}

const std::vector<Definition>& table() {
  static const std::vector<Definition> rows = {
      {"Softmax", kFanInRows, fused::softmax, reference::make<reference::softmax>},
      {"AM-Softmax", kUnitWeight, fused::am_softmax, reference::make<reference::am_softmax>},
      {"AdaM-Softmax", kUnitKernel, fused::adam_softmax, reference::make<reference::adam_softmax>, adam_state},
      {"AdaCos", {"W", CentreShape::kRows, CentreInit::kXavier}, fused::ada_cos, reference::make<reference::ada_cos>, ada_cos_state},
      {"ArcFace", kUnitWeight, fused::arc_face, reference::make<reference::arc_face>},
      {"MV-Softmax", kUnitWeight, fused::mv_softmax, reference::make<reference::mv_softmax>},
      {"CurricularFace", kNormalKernel, fused::curricular_face, reference::make<reference::curricular_face>, curricular_state},
      {"CircleLoss", kUnitWeight, fused::circle_loss, reference::make<reference::circle_loss>},
      {"NPCFace", kUnitKernel, fused::npc_face, reference::make<reference::npc_face>},
      {"MagFace", kUnitWeight, fused::mag_face, reference::make<reference::mag_face>},
      {"ArcNegFace", kFanInRows, fused::arc_neg_face, reference::make<reference::arc_neg_face>},
      {"CosFace", kNormalRows, fused::am_softmax, reference::make<reference::am_softmax>},
      {"CombinedMargin", kNormalRows, fused::combined_margin, reference::make<reference::combined_margin>},
      {"AdaFace", kUnitKernel, fused::ada_face, reference::make<reference::ada_face>, ada_face_state},
      {"ElasticFace", kNormalKernel, fused::elastic_face, reference::make<reference::elastic_face>, elastic_state},
      {"SST_Prototype", kQueue, fused::sst_prototype, reference::sst_prototype},
      {"SubCenterArcFace", kXavierRows, fused::sub_center_arc_face, reference::make<reference::sub_center_arc_face>},
      {"Contrastive", kNone, metric::contrastive_head, metric::contrastive_head},
      {"Triplet", kNone, metric::triplet_head, metric::triplet_head},
      {"Distillation", kNone, metric::distillation_head, metric::distillation_head, nullptr, nullptr, true},
      {"LogitDistillation", kNone, metric::logit_distillation_head, metric::logit_distillation_head, nullptr, metric::teacher_entries},
      {"Hint", kNone, metric::hint_head, metric::hint_head, nullptr, nullptr, true},
      {"Expression", kUnitWeight, fused::expression, reference::expression_head},
  };
  return rows;
}

bool has_centres(const Definition& row) { return row.centres.name != kQueue.name && row.centres.name != kNone.name; }

const Definition& find(const std::string& name) {
  std::string known;
  for (const Definition& row : table()) {
    if (row.name == name) return row;
    known += (known.empty() ? "" : ", ") + row.name;
  }
  fail(ErrorCode::kConfig, "unknown head \"", name, "\". Known: ", known);
}

const Definition& checked(const HeadOptions& options) {
  const Definition& row = find(options.name);
  if (options.num_class < 1 || options.feat_dim < 1) {
    fail(ErrorCode::kConfig, "head ", options.name, ": expected num_class and feat_dim of at least 1, got ", options.num_class, " and ", options.feat_dim);
  }
  if (options.dtype != at::kFloat && options.dtype != at::kDouble) {
    fail(ErrorCode::kConfig, "head ", options.name, ": expected dtype float32 or float64, got ", options.dtype);
  }
  if (!(options.sample_rate > 0 && options.sample_rate <= 1)) {
    fail(ErrorCode::kConfig, "head ", options.name, ": expected sample_rate above 0 and at most 1, got ", options.sample_rate);
  }
  if (!has_centres(row) && (options.sample_rate < 1 || options.bf16_products || options.centres_device != options.device)) {
    fail(ErrorCode::kConfig, "head ", options.name, ": has no class centres, leave sample_rate, centres and gemm out");
  }
  return row;
}

// A head in one of its forms; around it what brings the sample of a run, all of them at rate 1, to where it computes.
std::unique_ptr<Head> with_sample(const HeadOptions& options, MakeHead Definition::* form) {
  const Definition& definition = checked(options);
  const bool whole = options.sample_rate == 1 && options.centres_device == options.device;
  return whole ? (definition.*form)(definition, options) : make_partial_fc(definition, options, definition.*form);
}

}  // namespace

const CentreSpec& centres_of(const std::string& head) { return find(head).centres; }

std::unique_ptr<Head> make_head(const HeadOptions& options) {
  // The kernels on CUDA see all classes of a row.
  if (!options.device.is_cpu() && options.share.group) return make_reference_head(options);
  return with_sample(options, &Definition::fused);
}

std::unique_ptr<Head> make_reference_head(const HeadOptions& options) {
  return with_sample(options, &Definition::reference);
}

std::vector<ClassEntry> class_entries(const HeadOptions& options) {
  const Definition& definition = find(options.name);
  if (definition.entries_by_class != nullptr) return definition.entries_by_class(options);
  return has_centres(definition) ? class_entries(definition, options) : std::vector<ClassEntry>();
}

bool is_mean_of_rows(const std::string& head) { return find(head).mean_of_rows; }

std::vector<std::string> head_names() {
  std::vector<std::string> names;
  for (const Definition& row : table()) names.push_back(row.name);
  return names;
}

}  // namespace facex::heads
