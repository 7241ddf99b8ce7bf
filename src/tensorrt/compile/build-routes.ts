import { readArguments } from '../../errors/boundary.js';
import { TensorRTError } from '../../errors/error.js';
import { checkOptions } from '../../errors/options.js';
import { binding } from '../binding.js';
import { chooseTensorRT } from '../library/find.js';
import { callAddon } from '../run/call-addon.js';

/** A setting of TensorRT's compiler, for `buildRoute`. */
export interface BuildRoute {
  /** e.g. `-conv_use_long_w` */
  option: string;
  /** e.g. `-conv_use_long_w=[on|off]` */
  allowedValues: string;
  /** Its value unless a build sets another. */
  defaultValue: string;
  /** What it does, in TensorRT's words. */
  help: string;
}

/** What `buildRoutes` returns. */
export interface BuildRoutes {
  /** Version of the compiler that has these settings. */
  version: string;
  /** The settings. */
  routes: BuildRoute[];
}

/** Options of `buildRoutes`. */
export interface BuildRoutesOptions {
  /** Path of a TensorRT library, or a flavor. Default: the best one that builds here. */
  library?: string | undefined;
}

/**
 * The settings of TensorRT's compiler that `buildRoute` takes. TensorRT-RTX 1.7.1 lists none.
 * @throws ERR_UNSUPPORTED before TensorRT 11.1 and TensorRT-RTX 1.6, ERR_LIBRARY_NOT_FOUND, ERR_PARAMETER
 */
export async function buildRoutes(options: BuildRoutesOptions = {}): Promise<BuildRoutes> {
  const library = readArguments('buildRoutes', [options], () => {
    checkOptions(options, ['library'], 'buildRoutes');
    return options.library;
  });
  const { path } = await chooseTensorRT({ for: 'build', library });
  const json = await callAddon(() => binding().buildRoutes(path));
  if (json === '') return { version: '', routes: [] };
  try {
    return routesOf(JSON.parse(json));
  } catch (cause) {
    const said = `TensorRT's list of build routes cannot be read: ${(cause as Error).message}`;
    throw new TensorRTError('ERR_INTERNAL', said, { cause });
  }
}

/** The form is in the JSDoc of TensorRT's IBuilderConfig::getAllBuildRoutes. */
function routesOf(json: { tuner_version?: unknown; tuner_options?: Record<string, unknown>[] }): BuildRoutes {
  const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));
  return {
    version: text(json.tuner_version),
    routes: (json.tuner_options ?? []).map((one) => ({
      option: text(one.option),
      allowedValues: text(one.allowed_values),
      defaultValue: text(one.default_value),
      help: text(one.help),
    })),
  };
}
