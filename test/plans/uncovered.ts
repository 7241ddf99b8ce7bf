const noBuild = 'TensorRT-RTX 1.7.1 has no implementation of the kind';
const elsewhere = 'not in TensorRT-RTX';
const noTrace = 'leaves no trace in a plan of TensorRT-RTX';
const unset = 'nothing sets it';
const readBack = 'read back by test/tensorrt/compile, whose plans were not compared';
const running = 'for running engines, which no plan shows';

/** What cases call without any effect on a plan: found by dropping every setter in turn. */
export const unseen: readonly string[] = [
  'IBuilderConfig::setProgressMonitor',
  'IIfConditional::setName',
  'ILoop::setName',
  'INetworkDefinition::setWeightsName',
];

/** What no compared case reaches, with the reason. A test finds entries that are missing, and entries that are reached after all. */
export const uncovered: Record<'kinds' | 'methods' | 'enumerators', Record<string, string>> = {
  kinds: { moe: noBuild, nms: noBuild, non_zero: noBuild, plugin: elsewhere },

  /** Setters called with only one value count as not reached. */
  methods: {
    'IRefitter::*': running,
    'ISerializationConfig::*': running,
    'IAttention::setKeyValueLengths': 'TensorRT-RTX 1.7.1 lacks it, unlike its headers',
    'IAttention::setKeyValueForm': 'needs setKeyValueLengths',
    'IAttention::setQueryForm': 'TensorRT-RTX 1.7.1 has no kernel for packed queries beside padded keys',
    'IAttention::setQueryLengths': 'goes with setQueryForm',
    'IAttention::setNbRanks': 'TensorRT-RTX 1.7.1 has no kernel for more than one rank',
    'IBuilder::createNetworkV2': 'its one flag changes nothing in TensorRT-RTX',
    'IBuilder::setMaxThreads': readBack,
    'IBuilderConfig::createTimingCache': 'TensorRT-RTX measures nothing',
    'IBuilderConfig::setAvgTimingIterations': noTrace,
    'IBuilderConfig::setBuildRoute': 'TensorRT-RTX 1.7.1 refuses every route',
    'IBuilderConfig::setBuilderOptimizationLevel': noTrace,
    'IBuilderConfig::setEngineCapability': 'one value is offered',
    'IBuilderConfig::setHardwareCompatibilityLevel': elsewhere,
    'IBuilderConfig::setL2LimitForTiling': readBack,
    'IBuilderConfig::setMaxAuxStreams': elsewhere,
    'IBuilderConfig::setMaxAuxStreamsV11': noTrace,
    'IBuilderConfig::setMaxNbTactics': noTrace,
    'IBuilderConfig::setPluginsToSerialize': elsewhere,
    'IBuilderConfig::setPreviewFeature': 'for plugins, which TensorRT-RTX does not have',
    'IBuilderConfig::setRuntimePlatform': 'TensorRT-RTX 1.7.1 takes one value',
    'IBuilderConfig::setTacticSources': readBack,
    'IBuilderConfig::setTilingOptimizationLevel': readBack,
    'IBuilderConfig::setTimingCache': 'TensorRT-RTX measures nothing',
    'IKVCacheUpdateLayer::setUpdateForm': 'called only for the packed form, as in kv_cache_update_packed',
    'IMoELayer::*': noBuild,
    'INMSLayer::*': noBuild,
    'INonZeroLayer::*': noBuild,
    'INetworkDefinition::addAttention': 'addAttentionV2 is in every TensorRT-RTX that has attention',
    'INetworkDefinition::addDynamicQuantizeV2': 'TensorRT-RTX 1.7.1 takes blocks along one axis only',
    'INetworkDefinition::addKVCacheUpdate': 'there is one mode',
    'INetworkDefinition::addMoE': noBuild,
    'INetworkDefinition::addNMS': noBuild,
    'INetworkDefinition::addNonZero': noBuild,
    'INetworkDefinition::addPluginV2': elsewhere,
    'INetworkDefinition::addPluginV3': elsewhere,
    'INetworkDefinition::markWeightsRefittable': 'TensorRT-RTX does not build such plans without a GPU',
    'IOptimizationProfile::setShapeValues': elsewhere,
    'IPluginCreator::createPlugin': elsewhere,
    'IPluginCreatorV3One::createPlugin': elsewhere,
    'ITensor::setAllowedFormats': readBack,
  },

  enumerators: {
    'AttentionIOForm::kPADDED_BHND': 'the default, which is never set',
    'BoundingBoxFormat::*': noBuild,
    'LayerType::*': 'what TensorRT returns for a layer; it is never passed',
    'PluginCapabilityType::*': elsewhere,
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
        ['ERROR_ON_TIMING_CACHE_MISS', 'DISABLE_COMPILATION_CACHE', 'REFIT_INDIVIDUAL'],
        ['MONITOR_MEMORY', 'EDITABLE_TIMING_CACHE', 'DISTRIBUTIVE_INDEPENDENCE'],
      ]
        .flat()
        .map((name) => [`BuilderFlag::k${name}`, readBack]),
    ),
    'BuilderFlag::kGPU_FALLBACK': unset,
    'BuilderFlag::kSAFETY_SCOPE': unset,
    'BuilderFlag::kREQUIRE_USER_ALLOCATION': unset,
    'BuilderFlag::kDEBUG': noTrace,
    'BuilderFlag::kDISABLE_TIMING_CACHE': noTrace,
    'BuilderFlag::kSPARSE_WEIGHTS': noTrace,
    'BuilderFlag::kDIRECT_IO': noTrace,
    'BuilderFlag::kSTRICT_NANS': noTrace,
    'BuilderFlag::kVERSION_COMPATIBLE': 'TensorRT-RTX refuses it',
    'BuilderFlag::kEXCLUDE_LEAN_RUNTIME': 'TensorRT-RTX refuses it',
    'BuilderFlag::kREFIT': 'TensorRT-RTX does not build such plans without a GPU',
    'BuilderFlag::kREFIT_IDENTICAL': 'TensorRT-RTX does not build such plans without a GPU',
    'BuilderFlag::kSTRIP_PLAN': 'TensorRT-RTX does not build such plans without a GPU',
    'ComputeCapability::kNONE': unset,
    'ComputeCapability::kCURRENT': unset,
    'CudaGraphStrategy::*': running,
    'DynamicShapesKernelSpecializationStrategy::*': running,
    'EngineCapability::*': readBack,
    'ErrorCode::*': running,
    'ExecutionContextAllocationStrategy::*': running,
    'HardwareCompatibilityLevel::*': elsewhere,
    'LayerInformationFormat::*': running,
    'MemoryPoolType::kDLA_MANAGED_SRAM': unset,
    'MemoryPoolType::kDLA_LOCAL_DRAM': unset,
    'MemoryPoolType::kDLA_GLOBAL_DRAM': unset,
    'MemoryPoolType::kTACTIC_DRAM': readBack,
    'MemoryPoolType::kTACTIC_SHARED_MEMORY': readBack,
    'MoEActType::*': noBuild,
    'NetworkDefinitionCreationFlag::kEXPLICIT_BATCH': elsewhere,
    'NetworkDefinitionCreationFlag::kPREFER_JIT_PYTHON_PLUGINS': elsewhere,
    'NetworkDefinitionCreationFlag::kPREFER_AOT_PYTHON_PLUGINS': elsewhere,
    'PreviewFeature::*': readBack,
    'RuntimePlatform::*': readBack,
    'SerializationFlag::*': running,
    'TacticSource::*': readBack,
    'TensorFormat::*': readBack,
    'TensorIOMode::*': running,
    'TensorLocation::*': running,
    'TilingOptimizationLevel::*': readBack,
  },
};
