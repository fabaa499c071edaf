{
  # For tools that look for this file. The build itself is CMakeLists.txt, through the same script as `npm run build`.
  "targets": [
    {
      "target_name": "facex",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/facex.node"],
          "action": ["node", "scripts/build.mjs", "--native"]
        }
      ]
    }
  ]
}
