import { describe, expect, test } from 'vitest';
import { attr, definePlugin, Plugin } from '../../src/index.js';
import { definitionOf, register } from '../../src/plugin/registry.js';
import { refusal } from '../refusal.js';
import { define, plain } from './definitions.js';

/** The refusal of a definition, with its place in this file. */
function refused(changes: Record<string, unknown>) {
  const error = refusal(() => define(changes));
  expect(error.code).toBe('ERR_PLUGIN');
  expect(error.source?.file).toBe(import.meta.filename.replace('define.test', 'definitions'));
  return error.message.split('\n')[0];
}

describe('a definition that is wrong says what', () => {
  test.each<[string, Record<string, unknown>, string | RegExp]>([
    ['no name', { name: undefined }, /name: expected letters, digits, _ \. : and -, given undefined/],
    ['a name with a zero', { name: 'a\0' }, /name: expected letters/],
    ['a version that is a number', { version: 1 }, /version: expected letters.*given 1/],
    ['no inputs', { inputs: [] }, /inputs: expected a list of 1 to 100, given 0/],
    ['an input that is no name', { inputs: ['x-y'] }, /inputs: expected a name of letters, digits and _, given 'x-y'/],
    ['an input with a name of the rules', { inputs: ['ceilDiv'] }, /'ceilDiv' is what rules call a function/],
    [
      'one name for two things',
      { types: [{ x: 'float32', y: 'float32' }], attributes: { y: attr.int32(1) } },
      /'y' is the name of two things/,
    ],
    ['no types', { types: [] }, /types: expected a list of 1 to 100, given 0/],
    ['an input without dtype', { types: [{ y: 'float32' }] }, /types\[0\]: input 'x' has no dtype/],
    ['no output', { types: [{ x: 'float32' }] }, /no output has a dtype/],
    [
      'a dtype that is none',
      { types: [{ x: 'half', y: 'float32' }] },
      /types\[0\]\.x: expected one of float32, .*given 'half'/,
    ],
    ['uint8', { types: [{ x: 'uint8', y: 'float32' }] }, /uint8 at inputs and outputs of the network alone/],
    [
      'rows of other names',
      {
        types: [
          { x: 'float32', y: 'float32' },
          { x: 'float16', z: 'float16' },
        ],
      },
      /types\[1\]: expected dtypes of x, y/,
    ],
    [
      'two rows with the same inputs',
      {
        types: [
          { x: 'float32', y: 'float32' },
          { x: 'float32', y: 'float16' },
        ],
      },
      /types\[0\] and types\[1\] have the same inputs, float32/,
    ],
    ['a rank that is none', { ranks: { x: [3, 2] } }, /ranks\.x: expected a rank of 0 to 8 or \[least, most\]/],
    ['a rank of nothing', { ranks: { z: 1 } }, /ranks: 'z' is not among x/],
    ['an attribute that is none', { attributes: { eps: 1e-6 } }, /attributes\.eps: expected attr\.float32/],
    ['a rule that is none', { outputs: { y: [1] } }, /outputs: expected a function/],
    ['no launch', { launch: undefined }, /launch: expected a function, given undefined/],
    ['no kernel', { cuda: ' ' }, /cuda: expected CUDA source or new URL/],
    ['a path that is no URL', { cuda: './k.cu' }, /a path must be a URL: new URL\('\.\/k\.cu', import\.meta\.url\)/],
    ['a URL of the web', { cuda: new URL('https://a.b/k.cu') }, /expected a file: URL/],
    ['options that are none', { options: [1] }, /options: expected strings/],
    ['no tactic', { tactics: [] }, /tactics: expected a list of 1 to 100, given 0/],
    ['a tactic that is none', { tactics: [1] }, /tactics\[0\]: expected an object/],
    ['formats', { formats: ['chw32'] }, /formats: inputs and outputs are linear/],
    ['a key that is none', { lunch: () => [] }, /unknown 'lunch'; did you mean 'launch'\?/],
    [
      'an alias of another dtype',
      { aliases: { y: 'x' }, types: [{ x: 'float32', y: 'float16' }] },
      /'y' is float16 and 'x' float32/,
    ],
    ['an alias of nothing', { aliases: { y: 'z' } }, /aliases\.y: 'z' is not among x/],
    [
      'a shape input of floats',
      { inputs: ['x'], shapeInputs: ['s'], types: [{ x: 'float32', s: 'float32', y: 'float32' }] },
      /shape input 's': expected int32 or int64, given float32/,
    ],
  ])('%s', (_, changes, expected) => expect(refused(changes)).toMatch(expected));

  test('what is no definition', () => {
    for (const given of [undefined, null, 5, 'text', [], Symbol('x'), () => {}]) {
      expect(refusal(() => definePlugin(given as never)).code).toBe('ERR_PLUGIN');
    }
  });

  test('what cannot be read', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const getter = {
      get inputs() {
        throw new Error('mine');
      },
    };
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('mine');
        },
      },
    );
    for (const given of [revoked.proxy, getter, trap]) {
      const error = refusal(() => definePlugin(given as never));
      expect(error.code).toMatch(/^ERR_/);
      expect(error.source?.file).toBe(import.meta.filename);
    }
    const holes: unknown[] = [];
    holes.length = 2 ** 32 - 1;
    for (const key of ['inputs', 'types', 'options', 'tactics']) refusal(() => define({ [key]: holes }));
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`a${i}`, attr.int32(1)]));
    expect(refused({ attributes: wide })).toMatch(/attributes: expected at most 100 entries, given 1000/);
  });

  test('names that mean something to JavaScript are names', () => {
    expect(refused({ inputs: ['__proto__'] })).toMatch(/inputs: expected a name/);
    const made = define({ inputs: ['constructor'], types: [{ constructor: 'float32', toString: 'float32' }] });
    expect(definitionOf(made.name, '1')).toMatchObject({ inputs: ['constructor'], outputs: ['toString'] });
  });
});

test('a getter is read once', () => {
  let reads = 0;
  const given = plain();
  const name = given.name;
  Object.defineProperty(given, 'name', { enumerable: true, get: () => (reads++ < 2 ? name : 'Another') });
  expect(definePlugin(given as never).name).toBe(name);
});

describe('the same name and version', () => {
  test('at another place is refused, and says where the first is', () => {
    const given = plain();
    definePlugin(given as never);
    const error = refusal(() => definePlugin(given as never));
    expect(error.message).toMatch(
      /plugin 'Plain\d+' version 1 is defined already at .*define\.test\.ts:\d+: choose another/,
    );
  });

  test('in another version is another plugin', () => {
    const given = plain();
    definePlugin(given as never);
    expect(definePlugin({ ...given, version: '2' } as never)).toBeInstanceOf(Plugin);
  });

  test('at the same place replaces it: the module was loaded again', () => {
    const given = plain();
    for (const options of [['-a'], ['-b']]) definePlugin({ ...given, options } as never);
    expect(definitionOf(given.name as string, '1').options).toEqual(['-b']);
  });

  test('a query tells loads of one module apart, not modules', () => {
    const definition = definitionOf(define().name, '1');
    const { source } = definition;
    register({ ...definition, source: { ...source!, file: `${source!.file}?t=1` } });
    expect(() => register({ ...definition, source: { ...source!, line: 1 } })).toThrow(/is defined already/);
    expect(() => register({ ...definition, source: undefined })).toThrow(/is defined already/);
  });
});

test('what was defined is the package’s own', () => {
  const tactics = [{ block: 128 }];
  const types = [{ x: 'float32', y: 'float32' }];
  const made = define({ tactics, types, cuda: new URL('./k.cu', import.meta.url) });
  tactics[0]!.block = 1;
  types[0]!.y = 'int8';
  const definition = definitionOf(made.name, '1');
  expect(definition.tactics).toEqual([{ block: 128 }]);
  expect(definition.types[0]!.get('y')).toBe('float32');
  expect(definition.cuda).toEqual({ file: import.meta.filename.replace('define.test.ts', 'k.cu') });
  expect(String(made)).toBe(`Plugin(${made.name} 1)`);
});

test('a definition that is missing names those near it', () => {
  const { name } = define();
  expect(refusal(() => definitionOf(`${name}x`, '1')).message).toContain(`did you mean '${name}'`);
  expect(refusal(() => definitionOf(name, '7')).message).toMatch(
    /import the file that defines it first; it is defined in version 1/,
  );
});
