// What JavaScript says of a trainer: its networks, heads and step program, and its optimizer.
#pragma once

#include "binding/error.h"
#include "training/trainer.h"

namespace facex::binding {

// `NativeTrainerSpec` of lib/native.ts. kConfig for what is missing or of another type.
training::TrainerOptions trainer_options_from(const Napi::Object& spec);

// `NativeOptimizerSpec` of lib/native.ts.
training::OptimizerOptions optimizer_options_from(const Napi::Object& spec);

}  // namespace facex::binding
