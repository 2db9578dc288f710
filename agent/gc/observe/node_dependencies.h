#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "agent/base/result.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/model/evidence.h"
#include "agent/model/image_build.h"
#include "agent/model/policy.h"
#include "agent/model/ports.h"
#include "agent/state/age_store.h"
#include "agent/state/history.h"

namespace imagesweep {

// The parts of one node that a run uses.  `pods` is null with --without-kubernetes.
struct NodeDependencies {
  RuntimeReader& runtime;
  PodReader* pods;
  ImageRemover& remover;
  Filesystem& filesystem;
  AgeStore& age_store;
  const Clock& clock;
  History* history = nullptr;  // null: runs are not recorded
  // Reads the thresholds of the kubelet; empty: its defaults are assumed.
  std::function<Result<KubeletThresholds>(const std::stop_token&)> kubelet = {};
  WorkloadReader* workloads = nullptr;  // null: with pods, keep.workloads aborts every run
  // containerd's own layers and batch removal; null: only the CRI.
  layers::LayerReader* layers = nullptr;
  ImageRemover* batch_remover = nullptr;
  // Creates the archiver for keep.archive; empty: images that need an archive stay.
  std::function<std::unique_ptr<ImageArchiver>(const Archive&)> archiver = {};
  OriginReader* origins = nullptr;       // null: the origin of every image is unknown
  RegistryVerifier* verifier = nullptr;  // null: with keep.verifyRegistry no image is removed
  // Restores names that an interrupted removal deleted; null: a run only warns.
  NameRestorer* name_restorer = nullptr;
  BuildReader* builds = nullptr;  // null: reports do not tell how removed images were built
};

}  // namespace imagesweep
