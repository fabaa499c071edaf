#include "training/program.h"

#include <set>

#include "core/error.h"

namespace facex::training {

namespace {

// Follows the program as a run would and refuses what could only fail later, or silently do nothing.
class Check {
 public:
  explicit Check(const Parts& parts) : parts_(parts) {}

  void operator()(const BatchVerb& verb) {
    for (const std::string& image : verb.images) images_.insert(image);
    values_.insert(verb.labels);
  }

  void operator()(const ForwardVerb& verb) {
    network(verb.network);
    if (!images_.contains(verb.input)) problem("no batch has put images named \"", verb.input, "\"");
    const auto& outputs = parts_.networks.at(verb.network)->graph().outputs;
    if (verb.outputs.empty()) problem("no outputs");
    for (const auto& [output, name] : verb.outputs) {
      if (!outputs.contains(output)) problem("network ", verb.network, " has no output \"", output, "\"");
      values_.insert(name);
    }
    if (verb.gradient) waiting_ = true;
  }

  void operator()(const HeadVerb& verb) {
    head(verb.head);
    value(verb.embeddings);
    value(verb.labels);
    if (!verb.gallery.empty()) value(verb.gallery);
    if (!verb.centres_of.empty()) head(verb.centres_of);
    if (verb.weight == 0) problem("weight is 0");
  }

  void operator()(const EnqueueVerb& verb) {
    head(verb.head);
    value(verb.labels);
    if (verb.candidates.empty()) problem("no candidates");
    for (const std::string& candidate : verb.candidates) value(candidate);
  }

  void operator()(const BackwardVerb&) {
    if (!waiting_) problem("no forward with gradient before it");
    waiting_ = false;
  }

  void operator()(const ClipVerb& verb) {
    if (!(verb.max_norm > 0)) problem("max_norm must be above 0, got ", verb.max_norm);
    if (!verb.part.empty() && !parts_.heads.contains(verb.part)) network(verb.part);
  }

  void operator()(const OptimizerVerb&) {
    if (waiting_) problem("a forward with gradient has no backward yet");
    updates_ = true;
  }

  void operator()(const EmaVerb& verb) {
    network(verb.from);
    network(verb.to);
    if (verb.from == verb.to) problem("from and to are the same network");
    if (!(verb.decay >= 0 && verb.decay <= 1)) problem("decay must lie between 0 and 1, got ", verb.decay);
  }

  void begin(size_t position, const char* name) {
    position_ = position;
    name_ = name;
  }

  void end() {
    if (!updates_) fail(ErrorCode::kConfig, "program: no optimizer verb, so nothing would be learnt");
    if (waiting_) fail(ErrorCode::kConfig, "program: it ends with a forward that has no backward");
  }

 private:
  template <typename... Text>
  [[noreturn]] void problem(const Text&... text) {
    fail(ErrorCode::kConfig, "program verb ", position_, " (", name_, "): ", text...);
  }
  void network(const std::string& name) {
    if (!parts_.networks.contains(name)) problem("there is no network \"", name, "\"");
  }
  void head(const std::string& name) {
    if (!parts_.heads.contains(name)) problem("there is no head \"", name, "\"");
  }
  void value(const std::string& name) {
    if (!values_.contains(name)) problem("there is no value \"", name, "\" yet");
  }

  const Parts& parts_;
  std::set<std::string> images_, values_;
  bool waiting_ = false, updates_ = false;
  size_t position_ = 0;
  const char* name_ = "";
};

struct Name {
  const char* operator()(const BatchVerb&) const { return "batch"; }
  const char* operator()(const ForwardVerb&) const { return "forward"; }
  const char* operator()(const HeadVerb&) const { return "head"; }
  const char* operator()(const EnqueueVerb&) const { return "enqueue"; }
  const char* operator()(const BackwardVerb&) const { return "backward"; }
  const char* operator()(const ClipVerb&) const { return "clip"; }
  const char* operator()(const OptimizerVerb&) const { return "optimizer"; }
  const char* operator()(const EmaVerb&) const { return "ema"; }
};

}  // namespace

void check_program(const Program& program, const Parts& parts) {
  Check check(parts);
  for (size_t i = 0; i < program.size(); ++i) {
    check.begin(i, std::visit(Name{}, program[i]));
    std::visit(check, program[i]);
  }
  check.end();
}

}  // namespace facex::training
