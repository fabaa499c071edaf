// One row of the table of heads: what a head keeps, and how its two forms are made.
#pragma once

#include <memory>
#include <vector>

#include "heads/centres.h"
#include "heads/head.h"

namespace facex::heads {

// A state entry beside the class centres, initialised uniformly from low to high (a constant when both are equal).
struct ExtraEntry {
  std::string name;
  EntryKind kind = EntryKind::kBuffer;
  Shape shape = {1};
  double low = 0, high = 0;
  bool is_int64 = false;
  bool per_class = false;  // [.., num_class]: one number for each class
};

using MakeHead = std::unique_ptr<Head> (*)(const struct Definition&, const HeadOptions&);

struct Definition {
  std::string name;
  CentreSpec centres;
  MakeHead fused;
  MakeHead reference;
  // Adaptive state; null when the head has none.
  std::vector<ExtraEntry> (*extras)(const HeadOptions&) = nullptr;
  // Entries with slices for every class in a head without class centres of its own; null when it has none.
  std::vector<ClassEntry> (*entries_by_class)(const HeadOptions&) = nullptr;
  // The loss is the mean over the rows of a batch, which do not see each other.
  bool mean_of_rows = false;
};

// How the head of that name keeps its class centres; the name is empty where it has none. ErrorCode::kConfig for an
// unknown head.
const CentreSpec& centres_of(const std::string& head);

// Whether the loss of the head of that name is the mean over rows that do not see each other. kConfig for an unknown head.
bool is_mean_of_rows(const std::string& head);

// Centres of one class: 1 unless the head has an option `num_subcenters`.
int64_t centres_per_class(const HeadOptions& options);

// The entries of a head with class centres that have slices for every class.
std::vector<ClassEntry> class_entries(const Definition& definition, const HeadOptions& options);

// The state that a definition asks for, zero-filled.
State make_state(const Definition& definition, const HeadOptions& options);
void initialise_state(State& state, const Definition& definition, const HeadOptions& options, uint64_t seed);

// ErrorCode::kData naming row and label when a label lies outside [0, num_class) and is not the -1 of shared classes.
void check_request(const HeadRequest& request, const HeadOptions& options);

}  // namespace facex::heads
