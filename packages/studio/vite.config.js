import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// Names without hashes: the page is committed, and built anew it must be the same, byte for byte.
export default defineConfig({
  base: './',
  plugins: [svelte({ onwarn: (warning, handle) => warning.code !== 'a11y_no_interactive_element_to_noninteractive_role' && handle(warning), compilerOptions: { cssHash: ({ hash, css }) => `s-${hash(css)}` } })],
  build: {
    outDir: '../../dlspec/studio/page',
    emptyOutDir: true,
    target: ['chrome111', 'firefox121', 'safari16.4'],
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      output: {
        entryFileNames: 'assets/studio.js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
      },
    },
  },
})
