// An OpenID provider for tests: `node provider.mjs FOLDER PORT CALLBACK`. Its own login form takes any name.
const [folder, port, callback] = process.argv.slice(2);
const { Provider } = await import(`${folder}/node_modules/oidc-provider/lib/index.js`);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'psoas',
    client_secret: 'a-secret-of-the-tests',
    redirect_uris: [callback],
    response_types: ['code'],
    grant_types: ['authorization_code'],
  }],
  pkce: { required: () => true },
});
provider.listen(Number(port), '127.0.0.1', () => console.log(`listens at ${issuer}`));
