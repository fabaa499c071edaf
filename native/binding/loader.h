#pragma once

#include <napi.h>

#include <memory>

#include "data/batch.h"
#include "data/source.h"

namespace facex::binding {

// Loader, MemoryBatches, inspectImages(), indexRecords() and readRecord() of lib/native.ts.
void export_loader(Napi::Env env, Napi::Object exports);

// The batches behind a Loader or MemoryBatches object; they stay alive with the result, also after dispose().
// Throws kConfig for any other value, kDisposed after dispose().
std::shared_ptr<data::BatchSource> batch_source_of(const Napi::Value& value);

}  // namespace facex::binding
