const noBuild = 'TensorRT-RTX 1.7.1 has no implementation of the kind';
const elsewhere = 'not in TensorRT-RTX';
const noTrace = 'leaves no trace in a plan of TensorRT-RTX';
const unset = 'nothing sets it';
const running = 'of running, which no plan tells of';

/** What cases do call, but with what no plan tells: found by leaving out every setter in turn. */
export const unseen: readonly string[] = [
  'IBuilderConfig::setProgressMonitor',
  'IIfConditional::setName',
  'ILoop::setName',
  'INetworkDefinition::setWeightsName',
];

/** What no compared case reaches, with the reason; a test finds what is missing here, and what is reached after all. */
export const uncovered: Record<'kinds' | 'methods' | 'enumerators', Record<string, string>> = {
  kinds: { moe: noBuild, nms: noBuild, non_zero: noBuild },

  /** Setters that were called with one value alone count as not reached. */
  methods: {
    'IAttention::setKeyValueLengths': 'TensorRT-RTX 1.7.1 lacks it, unlike its headers',
    'IAttention::setKeyValueForm': 'needs setKeyValueLengths',
    'IAttention::setQueryForm': 'TensorRT-RTX 1.7.1 has no kernel for packed queries beside padded keys',
    'IAttention::setQueryLengths': 'goes with setQueryForm',
    'IAttention::setNbRanks': 'TensorRT-RTX 1.7.1 has no kernel for more than one rank',
    'IBuilder::createNetworkV2': 'its one flag changes nothing in TensorRT-RTX',
    'IBuilderConfig::setAvgTimingIterations': noTrace,
    'IBuilderConfig::setBuilderOptimizationLevel': noTrace,
    'IBuilderConfig::setHardwareCompatibilityLevel': elsewhere,
    'IBuilderConfig::setMaxAuxStreams': elsewhere,
    'IBuilderConfig::setMaxAuxStreamsV11': noTrace,
    'IBuilderConfig::setMaxNbTactics': noTrace,
    'IKVCacheUpdateLayer::setUpdateForm': 'called for the packed form alone, as kv_cache_update_packed does',
    'IMoELayer::*': noBuild,
    'INMSLayer::*': noBuild,
    'INonZeroLayer::*': noBuild,
    'INetworkDefinition::addAttention': 'addAttentionV2 is in every TensorRT-RTX that has attention',
    'INetworkDefinition::addDynamicQuantizeV2': 'TensorRT-RTX 1.7.1 takes blocks along one axis alone',
    'INetworkDefinition::addKVCacheUpdate': 'there is one mode',
    'INetworkDefinition::addMoE': noBuild,
    'INetworkDefinition::addNMS': noBuild,
    'INetworkDefinition::addNonZero': noBuild,
    'IOptimizationProfile::setShapeValues': elsewhere,
  },

  enumerators: {
    'AttentionIOForm::kPADDED_BHND': 'the default, which is not set',
    'BoundingBoxFormat::*': noBuild,
    'LayerType::*': 'what TensorRT says of a layer, which it is never told',
    ...Object.fromEntries(
      [
        ['FP16', 'INT8', 'FP8', 'BF16', 'INT4', 'FP4', 'WEIGHTLESS', 'REJECT_EMPTY_ALGORITHMS'],
        ['OBEY_PRECISION_CONSTRAINTS', 'PREFER_PRECISION_CONSTRAINTS'],
      ]
        .flat()
        .map((name) => [`BuilderFlag::k${name}`, elsewhere]),
    ),
    ...Object.fromEntries(
      [
        ['GPU_FALLBACK', 'SAFETY_SCOPE', 'ERROR_ON_TIMING_CACHE_MISS', 'DISABLE_COMPILATION_CACHE', 'REFIT_INDIVIDUAL'],
        ['MONITOR_MEMORY', 'EDITABLE_TIMING_CACHE', 'DISTRIBUTIVE_INDEPENDENCE', 'REQUIRE_USER_ALLOCATION'],
      ]
        .flat()
        .map((name) => [`BuilderFlag::k${name}`, unset]),
    ),
    'BuilderFlag::kDEBUG': noTrace,
    'BuilderFlag::kDISABLE_TIMING_CACHE': noTrace,
    'BuilderFlag::kSPARSE_WEIGHTS': noTrace,
    'BuilderFlag::kDIRECT_IO': noTrace,
    'BuilderFlag::kSTRICT_NANS': noTrace,
    'BuilderFlag::kVERSION_COMPATIBLE': 'TensorRT-RTX refuses it',
    'BuilderFlag::kEXCLUDE_LEAN_RUNTIME': 'TensorRT-RTX refuses it',
    'BuilderFlag::kREFIT': 'TensorRT-RTX builds no such plan without a GPU',
    'BuilderFlag::kREFIT_IDENTICAL': 'TensorRT-RTX builds no such plan without a GPU',
    'BuilderFlag::kSTRIP_PLAN': 'TensorRT-RTX builds no such plan without a GPU',
    'ComputeCapability::kNONE': unset,
    'ComputeCapability::kCURRENT': unset,
    'ExecutionContextAllocationStrategy::*': running,
    'HardwareCompatibilityLevel::*': elsewhere,
    'LayerInformationFormat::*': running,
    'MemoryPoolType::kDLA_MANAGED_SRAM': unset,
    'MemoryPoolType::kDLA_LOCAL_DRAM': unset,
    'MemoryPoolType::kDLA_GLOBAL_DRAM': unset,
    'MemoryPoolType::kTACTIC_DRAM': unset,
    'MemoryPoolType::kTACTIC_SHARED_MEMORY': unset,
    'MoEActType::*': noBuild,
    'NetworkDefinitionCreationFlag::kEXPLICIT_BATCH': elsewhere,
    'NetworkDefinitionCreationFlag::kPREFER_JIT_PYTHON_PLUGINS': elsewhere,
    'NetworkDefinitionCreationFlag::kPREFER_AOT_PYTHON_PLUGINS': elsewhere,
    'PreviewFeature::*': unset,
    'RuntimePlatform::*': unset,
    'TacticSource::*': unset,
    'TensorFormat::*': unset,
    'TensorIOMode::*': running,
    'TensorLocation::*': running,
    'TilingOptimizationLevel::*': unset,
  },
};
