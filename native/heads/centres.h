// Class centres: how a head's weight matrix is named, shaped, laid out in memory and initialised.
//
// Outside, a matrix has the shape of the published state dict: [D, K] with a column per class for some heads, [K, D]
// for others. In memory a centre is always D neighbouring numbers (a [D, K] entry is the transposed view of a [K, D]
// block), because every pass over classes reads whole centres: normalising, gathering, projecting gradients.
#pragma once

#include <string>

#include "core/state.h"
#include "heads/head.h"

namespace facex::heads {

enum class CentreShape {
  kColumns,  // [D, M]
  kRows,     // [M, D]
};

enum class CentreInit {
  kUnit,    // uniform direction in the cube, scaled to length 1
  kXavier,  // U(-a, a), a = sqrt(6 / (M + D))
  kFanIn,   // U(-a, a), a = 1 / sqrt(D)
  kNormal,  // N(0, 0.01)
};

struct CentreSpec {
  std::string name;
  CentreShape shape = CentreShape::kColumns;
  CentreInit init = CentreInit::kUnit;
};

// Adds the zero-filled entry of `count` centres (M = classes times centres a class), on options.centres_device.
void add_centres(State& state, const CentreSpec& spec, int64_t count, const HeadOptions& options);

// The [M, D] view of an entry's value or gradient, whatever its outside shape.
Tensor centre_rows(const Tensor& tensor, CentreShape shape);

// Which centres an entry holds: those from `first` on, of `total`.
struct CentreRange {
  int64_t first, total;
};

// Fills the centres; the value of each depends on (seed, spec.name), its number and the total only.
void initialise_centres(Entry& entry, const CentreSpec& spec, uint64_t seed, CentreRange range);

}  // namespace facex::heads
