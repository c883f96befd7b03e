### Tekster på bokmål. Én melding for hver ting som blir sagt.

## Rammen rundt alle sider

product = Felles kommunal journal
product-line = kommunens samlede helseopplysninger, ett sted
skip = Hopp til hovedinnholdet
menu = Hovedmeny
sign-out = Logg ut
synthetic = Demonstrasjon med syntetiske personer. Ingen opplysninger her gjelder virkelige mennesker.
footer-log = Hvert oppslag blir logget, og innbyggeren kan se hvem som har sett på opplysningene.
area-legevakt = Tjenesteoversikt
area-tavle = NEWS2-tavle
area-innbygger = Mine opplysninger
incomplete-title = Opplysningene er ikke fullstendige
incomplete-record = En lagret opplysning kan ikke leses. Driften av plattformen må undersøke det.
incomplete-measurements = { $count ->
    [one] Én måling har en verdi eller enhet som ikke kan tolkes.
   *[other] { $count } målinger har en verdi eller enhet som ikke kan tolkes.
}
incomplete-advice = Det kan finnes mer enn det som vises her. Undersøk med tjenestestedet før du legger dette til grunn.
render-failed = Siden kunne ikke vises. Prøv igjen.

## Tid

month-1 = januar
month-2 = februar
month-3 = mars
month-4 = april
month-5 = mai
month-6 = juni
month-7 = juli
month-8 = august
month-9 = september
month-10 = oktober
month-11 = november
month-12 = desember
time-now = nå nettopp
time-ago-minutes = for { $n ->
        [one] 1 minutt
       *[other] { $n } minutter
    } siden
time-ago-hours = for { $n ->
        [one] 1 time
       *[other] { $n } timer
    } siden
time-ago-days = for { $n ->
        [one] 1 dag
       *[other] { $n } dager
    } siden

## Innlogging i demonstrasjonen

signin-title = Velg hvem du vil være
signin-lead = Syntetiske personer – demonstrasjon. Velg kommune og rolle for å se løsningen slik den er for deg.
signin-municipality = Kommune
signin-role = Rolle
signin-resident = Hvilken innbygger?
signin-resident-hint = Brukes bare når du har valgt rollen innbygger. Velg en person, eller skriv et syntetisk fødselsnummer.
signin-number = Eller skriv et identitetsnummer
signin-submit = Logg inn
signin-failed = Innloggingen gikk ikke
signin-not-chosen = Velg både kommune og rolle.
signin-no-resident = Velg en innbygger, eller skriv et identitetsnummer.
authorize-title = Velg hvem du er
authorize-lead = vil logge deg inn hos
authorize-synthetic = Alle personer er syntetiske.
authorize-person = Logg inn som
authorize-patient = Pasientens identitetsnummer
authorize-scopes = Appen ber om
authorize-submit = Logg inn og åpne appen
authorize-decline = Avbryt
authorize-stopped = Appen kan ikke åpnes
authorize-no-person = Velg en person.
authorize-no-patient = Skriv identitetsnummeret til pasienten som appen skal åpnes for.
authorize-not-for-person = Den du valgte, har ikke tilgang til denne pasienten.
authorize-unknown-app = Appen er ikke registrert her, eller ber om å sende deg til et sted som ikke er registrert. Du blir ikke sendt videre.
authorize-too-late = Forespørselen er ukjent, brukt eller for gammel. Åpne appen på nytt.
signin-unknown-number = Ingen syntetisk person i kommunen har dette nummeret. Kontroller sifrene, eller velg en av personene i listen.
about-demo = Om demonstrasjonen
about-demo-text = Kommunene, de ansatte og innbyggerne er oppdiktet. Tilgang, logging og regler virker som i en ordinær løsning. I ordinær bruk logger helsepersonell inn med HelseID og innbyggere med ID-porten.
about-demo-vendor = For leverandører: prøv API-et

## Finne en pasient

find-title = Finn pasient
find-lead = Se hvilke kommunale helse- og omsorgstjenester pasienten har, og hvem du kan ringe.
find-submit = Vis tjenester
find-another = Finn en annen pasient
find-logged = Oppslaget blir logget med navnet ditt, rollen din og formålet. Pasienten kan se det. Slå bare opp pasienter du har et tjenstlig behov for.
identity-number = Fødselsnummer eller D-nummer
number-hint = 11 siffer. Nummeret blir ikke en del av nettadressen.
number-not-eleven = Et fødselsnummer har 11 siffer. Kontroller at du har fått med alle.
number-not-a-date = De første sifrene er ikke en gyldig dato. Kontroller nummeret.
number-check-digits = Nummeret er ikke gyldig: kontrollsifrene stemmer ikke. Kontroller om to siffer har byttet plass.
number-synthetic = Dette er et syntetisk nummer. Det kan ikke brukes her.
number-real = Her kan du bare bruke syntetiske numre. Ikke skriv et virkelig fødselsnummer.

## Pasienten

patient = Pasient
patient-unnamed = Navn ikke mottatt
born = Født
gender = Kjønn
gender-male = Mann
gender-female = Kvinne
gender-other = Annet
gender-unknown = Ukjent
address = Adresse
phone = Telefon
age = { $n } år

## Tjenester

services-active = Tjenester nå
services-ended = Avsluttede tjenester
services-none = Ingen kommunale tjenester er registrert
services-none-active = Ingen pågående kommunale tjenester er registrert
services-none-means = Det betyr ikke at pasienten ikke får hjelp. Oversikten viser bare det som er sendt fra systemer som er koblet til. Spør pasienten, pårørende eller kommunens tjenestekontor.
status-planned = Planlagt
status-active = Pågår
status-on-hold = Midlertidig stanset
status-finished = Avsluttet
status-cancelled = Avlyst
service-extent = Omfang
service-stay = Opphold
service-start = Startet
service-start-planned = Starter
service-revision = Skal vurderes på nytt
service-end = Slutt
service-site = Tjenestested
hours-per-week = { $hours } timer per uke
decision = Vedtak
decision-made = Vedtatt { $date }. { $status }.
decision-undated = { $status }.
decision-draft = Under arbeid
decision-active = Gjelder
decision-on-hold = Satt på vent
decision-revoked = Opphevet
decision-completed = Gjennomført
decision-entered-in-error = Ført ved en feil
decision-unknown = Status ikke oppgitt
call = Ring
no-phone = Telefonnummer til tjenestestedet er ikke mottatt.
updated = Oppdatert
source = Kilde

## NEWS2

news2 = NEWS2
news2-now = NEWS2 nå
news2-total = NEWS2-sum
news2-none = Ingen NEWS2-målinger er registrert
news2-none-means = Det betyr ikke at ingen har målt. Bare målinger fra systemer som er koblet til, blir vist.
parameter-respiration = Respirasjonsfrekvens
parameter-oxygen-saturation = Oksygenmetning
parameter-oxygen = Luft eller oksygen
parameter-systolic-blood-pressure = Systolisk blodtrykk
parameter-pulse = Puls
parameter-consciousness = Bevissthet
parameter-temperature = Temperatur
unit-respiration = per min
unit-oxygen-saturation = %
unit-systolic-blood-pressure = mmHg
unit-pulse = per min
unit-temperature = °C
supply-air = Luft
supply-oxygen = Oksygen
consciousness-A = A – våken
consciousness-C = C – nyoppstått forvirring
consciousness-V = V – reagerer på tiltale
consciousness-P = P – reagerer på smerte
consciousness-U = U – reagerer ikke
points = { $n } poeng
risk-low = Lav risiko
risk-low-medium = Lav til middels risiko
risk-medium = Middels risiko
risk-high = Høy risiko
risk-unknown = Risiko ikke kjent
risk-at-least-low-medium = Minst lav til middels risiko
risk-at-least-medium = Minst middels risiko
risk-at-least-high = Høy risiko
response-low = NEWS2: Fortsett jevnlige målinger. Sykepleier vurderer om de skal tas oftere.
response-low-medium = NEWS2: Tre poeng på ett mål. Lege bør vurdere pasienten raskt.
response-medium = NEWS2: Lege bør vurdere pasienten raskt. Mål minst hver time.
response-high = NEWS2: Øyeblikkelig vurdering av team med akuttkompetanse. Overvåk kontinuerlig.
response-unknown = NEWS2: Målingene er ufullstendige og kan ikke utelukke høyere risiko.
total-received = Summen er mottatt fra kildesystemet. Ikke alle sju enkeltmål er mottatt.
total-differs = Kildesystemet sendte summen { $received }. Summen her er regnet ut av målingene.
total-incomplete = Ufullstendig måling, { $points } så langt. Mangler: { $missing }.
measured = Målt
later = Målt senere:
normal = Pasientens normale
normal-short = Normalt
normal-unknown = Ikke kjent
normal-ground = Bygger på { $days } dager med målinger, { $unusual ->
        [0] ingen av dem uvanlige
        [one] 1 av dem uvanlig
       *[other] { $unusual } av dem uvanlige
    }.
normal-few-days = Det er for få dager med målinger ({ $days }) til å kjenne pasientens normale.
normal-short-span = Målingene strekker seg over for kort tid ({ $days } dager) til å kjenne pasientens normale.
deviation = Avvik fra det normale
deviation-above = { $n } over det normale
deviation-within = Innenfor det normale
deviation-below = { $n } under det normale
trend = Utvikling
trend-rising = Stigende
trend-falling = Synkende
trend-stable = Stabil
trend-unknown = Ikke kjent
spark = Siste NEWS2-summer, eldste først

## Tavlen

board-title = NEWS2-tavle
board-shown = Vist slik det var
board-reload = Last siden på nytt for å oppdatere.
board-live = Oppdateres direkte når nye målinger kommer.
board-lost = Ingen forbindelse. Tavlen viser det som sist var kjent. Last siden på nytt.
board-empty = Ingen pasienter på tavlen
board-empty-means = Tavlen viser pasienter med en pågående tjeneste ved enheten din.
board-announce = { $name }: NEWS2 { $total }, { $risk }.
board-announce-none = { $name }: ingen NEWS2-målinger.
row-incomplete = Ikke alle målinger kunne leses.
legend = Tegnforklaring
legend-high = Høy: 7 eller mer
legend-medium = Middels: 5–6
legend-low-medium = Lav til middels: tre poeng på ett mål
legend-low = Lav: 0–4
legend-unknown = Ufullstendig eller ikke målt

## Kurven

chart-title = NEWS2 for { $name }
chart-open = Vis kurver og alle målinger
chart-heading = Utvikling over tid
periods = Tidsrom
period-24t = 24 timer
period-7d = 7 dager
period-30d = 30 dager
period-alt = Alt
chart-empty = Ingen målinger i dette tidsrommet. Velg et lengre tidsrom.
chart-caption = NEWS2 og de sju målene fra { $from } til { $to }. { $count ->
        [one] 1 måling
       *[other] { $count } målinger
    }.
chart-explained = Tallene til venstre er grensene i NEWS2-tabellen, tallene til høyre er poengene de gir. Avstanden mellom verdiene er tilpasset slik at alle grenser kan leses.
chart-normal-explained = Det stiplede blå feltet er pasientens eget normale nivå.
chart-thinned = For å være lesbar tegner kurven { $drawn } av { $all } målinger: den mest alvorlige i hvert tidsrom.
chart-spoken = { $name }. Siste verdi { $latest }. { $points }. { $count } verdier i tidsrommet. Alle tall står i tabellen under.
chart-no-value = ikke målt
chart-low = Lav
chart-medium = Middels
chart-high = Høy
key-0 = 0 poeng
key-1 = 1 poeng
key-2 = 2 poeng
key-3 = 3 poeng
key-normal = Pasientens normale nivå
key-received = Mottatt sum, ikke regnet ut her
key-differs = Mottatt skår er en annen enn tabellen gir
saturation-scale-1 = Oksygenmetning er vist med skala 1.
saturation-scale-2-air = Oksygenmetning er vist med skala 2 (mål 88–92 %), med grensene for en pasient på luft.
saturation-scale-2-oxygen = Oksygenmetning er vist med skala 2 (mål 88–92 %), med grensene for en pasient som får oksygen.
saturation-scale-2-unknown = Oksygenmetning er vist med skala 2 (mål 88–92 %). Fra 93 % avhenger poengene av om pasienten får oksygen, og det er ikke oppgitt.
differs-title = Mottatt skår er en annen enn tabellen gir
differs-means = Det som er mottatt, er vist som mottatt og er ikke endret. Vurder pasienten ut fra målingene, og meld fra til den som eier kildesystemet.
difference-measured = { $subject }: mottatt { $received }, målingen gir { $expected }.
difference-named-band = { $subject }: mottatt { $received }, området kilden oppgir gir { $expected }.
difference-received-points = { $subject }: mottatt { $received }, de mottatte poengene blir { $expected } til sammen.
table-heading = Alle målinger i tidsrommet
table-time = Tid
table-remark = Merknad
table-cut = Tabellen viser de { $shown } siste av { $all } målinger.
table-received = Mottatt sum.
table-incomplete = Ufullstendig.
table-differs = ≠ Mottatt skår avviker.
not-measured = ikke målt

## Innbyggerens side

mine-title = Mine opplysninger
mine-services = Tjenestene mine
mine-measurements = Målingene mine
mine-looks = Hvem har sett på opplysningene mine
mine-about = Hva dette er
on-this-page = På denne siden
mine-no-services = Du har ingen pågående tjenester registrert
mine-no-services-means = Oversikten viser bare det som er sendt fra systemer kommunen har koblet til. Ta kontakt med kommunen hvis noe mangler.
mine-no-measurements = Ingen målinger er registrert om deg
plain-total = Ved siste måling, { $when }, var NEWS2-summen din { $total }.
plain-low = Det regnes som lav risiko for at tilstanden blir forverret.
plain-low-medium = Summen er lav, men ett av målene skiller seg tydelig ut. Da skal helsepersonell vurdere det.
plain-medium = Det betyr at helsepersonell bør vurdere deg raskt.
plain-high = Det betyr at helsepersonell bør vurdere deg med en gang.
plain-unknown = Målingen er ikke fullstendig, så risikoen er ikke regnet ut.
plain-above = Summen er høyere enn det som er vanlig for deg.
plain-within = Summen er som den pleier å være for deg.
plain-below = Summen er lavere enn det som er vanlig for deg.
plain-no-normal = Det er for få målinger til å si hva som er vanlig for deg.
plain-advice = Kjenner du deg dårlig, skal du ikke vente på nye målinger. Ring fastlegen, eller legevakten på 116 117. Ring 113 når det er akutt.
looks-lead = Her ser du hvem som har sett eller prøvd å se opplysningene dine, når og hvorfor. Spør kommunen hvis det er noe du ikke kjenner igjen.
looks-none = Ingen andre har sett på opplysningene dine ennå.
looks-more = Listen viser de siste oppslagene. Kommunen kan gi deg hele loggen.
looks-not-shown = Dine egne oppslag, og det kommunens systemer registrerer om deg, står ikke i listen.
look-what = Hva
look-why = Hvorfor
look-categories = Opplysninger
look-rule = Hvorfor det ble stanset
look-refused = Fikk ikke se
refused-unknown = En regel i kommunen stanset oppslaget.
about-what = Felles kommunal journal samler opplysninger om helse- og omsorgstjenester fra systemene kommunen bruker, slik at de som hjelper deg, ser det samme. Systemet som har skrevet noe, eier det fortsatt. Her blir ingenting endret.
about-who = Ansvarlig for opplysningene dine er
about-rights = Du har rett til å se opplysningene om deg og hvem som har sett dem. Er noe feil, kan du be den som har skrevet det, om å rette det. Du kan også be kommunen om å sperre opplysninger.

## Hvem som så, hva og hvorfor

role-legevaktslege = Lege på legevakten
role-sykepleier = Sykepleier
role-saksbehandler = Saksbehandler for tjenester
role-system = Datasystem
role-resident = Deg selv
role-innbygger = Innbygger
signin-role-legevaktslege = Ser tjenestene til en pasient som kommer til legevakten
signin-role-sykepleier = Følger NEWS2 på øyeblikkelig hjelp-avdelingen
signin-role-korttidssykepleier = Følger NEWS2 på korttidsavdelingen
signin-role-hjemmesykepleier = Følger NEWS2 i hjemmetjenesten
signin-role-saksbehandler = Ser tjenester og vedtak, men ikke målinger
signin-role-innbygger = Ser sine egne opplysninger og hvem som har sett dem
action-overview = Så oversikten over tjenestene dine
action-news2 = Så NEWS2-målingene dine
action-board = Så deg på tavlen over pasienter ved enheten
action-read = Leste en opplysning
action-vread = Leste en tidligere utgave av en opplysning
action-history = Leste historikken til en opplysning
action-search = Søkte i opplysninger
action-patient = Så hvem du er
action-everything = Hentet alt om deg som rollen gir tilgang til
action-lastn = Så de siste målingene dine
action-stats = Fikk regnet ut statistikk av målingene dine
action-okt-events = Hentet oversikten over tjenestene dine
action-okt-status = Spurte hvor mange tjenester du har
action-submit-fhir = Registrerte eller endret opplysninger
action-submit-okt = Registrerte eller endret tjenester
action-submit-pmd = Registrerte målinger
action-submit-events = Registrerte opplysninger
action-access-log = Så hvem som har sett på opplysningene
action-other = Brukte opplysninger
purpose-TREAT = For å gi deg helsehjelp
purpose-ETREAT = For å gi deg øyeblikkelig hjelp
purpose-COC = For å vurdere og samordne tjenestene dine
purpose-BTG = I en nødssituasjon, utenfor vanlig tilgang. Oppslaget blir kontrollert i etterkant
purpose-PATRQT = Fordi du selv ba om innsyn
purpose-HOPERAT = For å levere det systemet selv har registrert
purpose-other = Formålet er oppgitt som { $code }

## Avslag: hvilken regel, og veien videre

refused-title = Du har ikke tilgang til dette
refused-logged = Forsøket er logget. Ingen opplysninger er vist.
refused-code = Regel:
rule-other-municipality = Innloggingen gjelder en annen virksomhet enn denne kommunen.
    .way-on = Logg ut, og logg inn på nytt for kommunen du arbeider i nå.
rule-no-agreement = Kommunen har ingen gyldig avtale med dette systemet.
    .way-on = Be systemansvarlig i kommunen om å registrere en avtale.
rule-category-not-agreed = Avtalen med systemet omfatter ikke denne typen opplysninger.
    .way-on = Be systemansvarlig i kommunen om å utvide avtalen.
rule-not-owner = Bare den som har skrevet opplysningen, kan endre den.
    .way-on = Be eieren om å rette den, eller registrer din egen observasjon.
rule-not-a-system = Opplysninger blir levert av systemer med avtale, ikke av personer.
    .way-on = Registrer opplysningen i fagsystemet ditt. Da blir den sendt hit.
rule-weak-login = Innloggingen er ikke sikker nok for helseopplysninger.
    .way-on = Logg inn på nytt på sikkerhetsnivå 4, for eksempel med BankID eller Buypass.
rule-no-attest = Du må bekrefte at du har et behandlings- eller omsorgsforhold til pasienten.
    .way-on = Åpne pasienten på nytt fra fagsystemet ditt, og bekreft hvorfor du trenger opplysningene.
rule-attestation_has_expired = Bekreftelsen din for pasienten er mer enn 60 minutter gammel.
    .way-on = Åpne pasienten på nytt for å bekrefte at du fortsatt trenger opplysningene.
rule-attest-contradicts = Bekreftelsen gjelder en annen virksomhet enn innloggingen.
    .way-on = Logg inn og åpne pasienten for samme virksomhet.
rule-unknown-unit = Enheten du arbeider ved, er ikke registrert i kommunen.
    .way-on = Be kommunen om å registrere enheten.
rule-purpose-inactive = Formålet du har oppgitt, er ikke i bruk i kommunen.
    .way-on = Velg et formål som kommunen har tatt i bruk.
rule-no-role = Ingen rolle gir tilgang for enheten, yrket og formålet ditt.
    .way-on = Spør lederen din hvilken rolle arbeidet krever.
rule-category-not-for-role = Rollen din trenger ikke denne typen opplysninger.
    .way-on = Trenger du dem likevel i arbeidet, tar du det opp med lederen din.
rule-patient-not-named = Du må velge én pasient.
    .way-on = Finn pasienten med fødselsnummer, og prøv igjen.
rule-not-self = En innbygger kan bare se opplysninger om seg selv.
    .way-on = Logg inn som den opplysningene gjelder.
rule-not-shared = Denne typen opplysninger blir ikke delt utenfor den som eier dem.
    .way-on = Ta kontakt med den som eier opplysningene.
rule-insufficient_scope = Appen har ikke bedt om tilgang til dette.
    .way-on = Åpne appen på nytt fra journalen, eller ta kontakt med den som leverer appen.

## Andre problemer

problem-home = Til forsiden
problem-to-sign-in = Til innlogging
problem-sign-in = Du er ikke logget inn, eller økten er avsluttet.
    .title = Logg inn for å fortsette
    .way-on = Logg inn og prøv igjen. Ingenting er gått tapt.
problem-not-found = Det er ingenting på denne adressen.
    .title = Siden finnes ikke
    .way-on = Kontroller adressen, eller begynn på forsiden.
problem-other-role = Du er logget inn i en rolle som ikke bruker denne siden. Ingen opplysninger er vist.
    .title = Siden er ikke for rollen din
    .way-on = Gå til forsiden for rollen din, eller logg ut og inn igjen i en annen rolle.
problem-bad-form = Skjemaet kunne ikke leses.
    .title = Noe manglet i skjemaet
    .way-on = Gå tilbake, fyll ut feltene og send på nytt.
problem-foreign-form = Skjemaet kom fra en annen nettside. Derfor er ingenting gjort.
    .title = Skjemaet ble ikke tatt imot
    .way-on = Åpne siden på nytt her, og fyll ut skjemaet igjen.
problem-busy = Det er for mange forespørsler akkurat nå.
    .title = Løsningen er opptatt
    .way-on = Vent litt, og prøv igjen. Haster det, ringer du tjenestestedet.
problem-unavailable = Opplysningene kan ikke leses akkurat nå. Derfor blir ingenting vist.
    .title = Opplysningene er ikke tilgjengelige
    .way-on = Prøv igjen om litt. Haster det, ringer du tjenestestedet.
problem-internal = Det er en feil hos oss, ikke hos deg.
    .title = Noe gikk galt
    .way-on = Prøv igjen. Melder du fra til kommunen, er tidspunktet nok til å finne feilen.

## Siden der kall kan prøves

docs-title = API for { $municipality }
docs-lead = Alt som kan gjøres over HTTP, med et skjema for hvert kall. Hent et token, åpne et kall og send det.
docs-choice-title = Hvilken kommunes API?
docs-choice-lead = Et token gjelder for én kommune, og alt det gjør, blir logget der.
docs-noscript = Kallene sendes av et skript. Uten skript kan du lese om dem her og sende dem med curl.
docs-token-title = Hvem spør?
docs-role = Rolle i sandkassen
docs-get-token = Hent token
docs-token = Token
docs-token-hint = Lim inn et eget, eller hent ett over. Det blir bare liggende på denne siden.
docs-token-none = Ikke noe token ennå.
docs-token-failed = Dette er ikke et token.
docs-token-who = Token for
docs-token-until = gyldig til
docs-token-missing = Hent et token først.
docs-contents = Kall
docs-callers = For
docs-caller-open = Åpent for alle
docs-caller-system = systemer med avtale
docs-caller-practitioner = helsepersonell og saksbehandlere
docs-caller-resident = innbyggere
docs-method = Metode
docs-required = må fylles ut
docs-not-sent = (sendes ikke)
docs-more = Flere søkeparametre
docs-more-hint = Alle søkeparametrene til ressurstypen, skrevet som i en adresse. Fødselsnummer hører hjemme i skjemaet, ikke her.
docs-options = Flere valg
docs-body = Innhold
docs-send = Send
docs-sending = Sender …
docs-failed = Serveren svarer ikke.
docs-empty = (svaret har ikke noe innhold)
docs-answer = Svar
docs-headers = Svarets hoder
docs-curl = Som curl
docs-copy = Kopier
docs-copied = Kopiert
docs-section-fhir = FHIR R4
    .about = Les, søk, skriv og følg historikken til enkeltressurser, i JSON eller XML.
docs-section-bulk = Mye på én gang
    .about = Eksport og import linje for linje, for uttrekk og førstegangslast.
docs-section-okt = OKT
    .about = Norsk helsenetts kontrakt for oversikt over kommunale tjenester.
docs-section-pmd = PMD
    .about = Norsk helsenetts kontrakt for pasientens måledata.
docs-section-events = CloudEvents
    .about = Hendelser etter CloudEvents 1.0 over HTTP.
docs-section-sandbox = Sandkassens innlogging
    .about = Stedfortredere for HelseID, ID-porten og Maskinporten, og en tjener som åpner SMART-apper. Bare i demoen.
docs-section-platform = Plattformen
    .about = Beskrivelsen av API-et, og om plattformen svarer.
docs-call-capabilities = Hva serveren kan
docs-call-search = Søk i én ressurstype
docs-call-search-form = Søk med skjema, der fødselsnummer kan stå
docs-call-search-all = Søk i flere ressurstyper
docs-call-search-all-form = Søk i flere ressurstyper med skjema
docs-call-search-compartment = Søk i det som hører til én pasient
docs-call-search-compartment-form = Søk i det som hører til én pasient, med skjema
docs-call-read = Les gjeldende versjon
docs-call-vread = Les én bestemt versjon
docs-call-create = Opprett
docs-call-update = Oppdater, eller opprett med denne id-en
docs-call-update-matching = Oppdater den ene som passer med søket
docs-call-patch = Endre deler
docs-call-patch-matching = Endre deler av den ene som passer med søket
docs-call-delete = Fjern
docs-call-delete-matching = Fjern den ene som passer med søket
docs-call-history = Historikken til én ressurs
docs-call-history-of-type = Alt som er endret i én ressurstype
docs-call-history-of-all = Alt som er endret
docs-call-bundle = Send mange endringer i en Bundle
docs-call-overview = Oversikt over kommunale tjenester
docs-call-news2 = NEWS2: siste, serie, trend og normalnivå
docs-call-export = Eksporter alt systemet kan lese
docs-call-export-patients = Eksporter det som gjelder personer
docs-call-export-group = Eksporter det som gjelder en gruppe
docs-call-export-status = Hvor langt en eksport eller et svar er kommet
docs-call-export-end = Avslutt en eksport eller et svar som kommer senere
docs-call-export-file = Hent en fil fra en eksport, eller et svar som kom senere
docs-call-import = Importer, en ressurs på hver linje
docs-call-import-status = Hvor langt en import er kommet
docs-call-okt-submit = Lever hele tjenestelisten til en person
docs-call-okt-events = Tjenestene til en person
docs-call-okt-status = Antall aktive tjenester
docs-call-pmd-submit = Lever målinger
docs-call-pmd-search = Søk i målinger med skjema
docs-call-events = Lever hendelser
docs-call-openapi = API-et beskrevet i OpenAPI 3.1
docs-call-smart = Hvor SMART-apper logger inn
docs-call-issuer-openid = Hva utstederen kan (OpenID Connect)
docs-call-issuer-oauth = Hva utstederen kan (OAuth)
docs-call-issuer-keys = Utstederens offentlige nøkler
docs-call-issuer-register = Registrer en klient eller nøkler
docs-call-issuer-push = Send en innloggingsforespørsel på forhånd (PAR)
docs-call-issuer-token = Hent token
docs-call-issuer-launch = Åpne en app på pasienten som er åpen
docs-call-health = Prosessen svarer
docs-call-ready = Kommunene er åpne
docs-field-issuer = helseid, idporten, maskinporten eller smart
docs-field-DPoP = Bevis for nøkkelen, med tjenerens nonce
docs-field-kind = Ressurstype
docs-field-id = Ressursens id
docs-field-of = Ressurstype det søkes i, eller * for alle
docs-field-version = Versjonens nummer
docs-field-file = Filens nummer i eksporten
docs-field-name = Navnet på importen
docs-field-pid = Fødselsnummer, D-nummer eller felles hjelpenummer
docs-field-mode = Hva det spørres om
docs-field-_id = Id, eller flere med komma mellom
docs-field-identifier = system|verdi
docs-field-patient = Id-en til pasientens Patient
docs-field-code = En kode; i søk helst system|kode
docs-field-date = Dato eller tidsrom, for eksempel ge2026-01-01
docs-field-_lastUpdated = Når den sist ble endret, for eksempel ge2026-01-01
docs-field-_count = Flest på hver side
docs-field-_sort = Det det sorteres etter, med minus foran for synkende
docs-field-_include = Det treffene viser til, for eksempel Observation:subject
docs-field-_revinclude = Det som viser til treffene, for eksempel Observation:subject
docs-field-_total = Om alle treff skal telles
docs-field-_summary = Hvilke elementer som skal være med
docs-field-_elements = Elementene som skal være med, med komma mellom
docs-field-_format = Svarets form; går foran Accept
docs-field-_pretty = Om svaret skal settes opp for mennesker
docs-field-_since = Et tidspunkt: bare det som er registrert da eller senere
docs-field-_at = En dato eller et tidspunkt: det som gjaldt da
docs-field-_typeFilter = Type?søk: bare treffene av en type
docs-field-_type = Ressurstyper, med komma mellom
docs-field-_outputFormat = Filenes form
docs-field-job = Et navn på importen, så den kan fortsette der den slapp
docs-field-Accept = Formen svaret ønskes i
docs-field-Prefer = Hva svaret skal være, og om det kan komme senere
docs-field-If-Match = W/"versjon": bare hvis denne versjonen er gjeldende
docs-field-If-None-Match = W/"versjon": ikke hvis denne er gjeldende
docs-field-If-Modified-Since = En dato: bare hvis noe er endret siden
docs-field-If-None-Exist = Et søk: opprett bare hvis ingenting passer
docs-field-nhn-event-id = Kildens egen id for hendelsen; gjør det trygt å sende om igjen
docs-field-ce-specversion = 1.0, når attributtene står i hodene
docs-field-ce-id = Hendelsens id, når attributtene står i hodene
docs-field-ce-source = Hendelsens kilde, når attributtene står i hodene
docs-field-ce-type = Hendelsens type, når attributtene står i hodene
docs-field-ce-time = Hendelsens tid, når attributtene står i hodene
docs-section-operations = Operasjoner
    .about = Hele journalen, siste målinger, kodeverk og sjekk av ressurser.
docs-call-everything = Alt om en person
docs-call-lastn = De nyeste målingene av hvert slag
docs-call-stats = Statistikk over målinger
docs-call-validate = Sjekk en ressurs uten å lagre den
docs-call-validate-one = Sjekk en lagret ressurs, eller en ny versjon av den
docs-call-meta = Profiler, merker og sikkerhetsmerker
docs-call-meta-of-type = Profiler, merker og sikkerhetsmerker i bruk i én ressurstype
docs-call-meta-of-all = Profiler, merker og sikkerhetsmerker i bruk
docs-call-meta-add = Legg til merker
docs-call-meta-delete = Fjern merker
docs-call-expand = Kodene i et kodesett
docs-call-expand-one = Kodene i et kodesett som er lagret her
docs-call-validate-in-set = Er koden i kodesettet?
docs-call-validate-in-one-set = Er koden i et kodesett som er lagret her?
docs-call-validate-in-system = Er koden i kodeverket?
docs-call-validate-in-one-system = Er koden i et kodeverk som er lagret her?
docs-call-lookup = Slå opp en kode
docs-call-subsumes = Forholdet mellom to koder
docs-call-translate = Oversett en kode til et annet kodeverk
docs-call-translate-by-one = Oversett en kode med en tabell som er lagret her
docs-call-definition-of-overview = Definisjonen av $kommunale-tjenester
docs-call-definition-of-news2 = Definisjonen av $news2
docs-field-start = En dato: det som er fra da eller senere
docs-field-end = En dato: det som er fra da eller tidligere
docs-field-subject = Patient/id
docs-field-category = system|kode
docs-field-max = Flest av hvert slag
docs-field-duration = Timer frem til nå
docs-field-statistic = For eksempel average, maximum eller count
docs-field-include = Om målingene skal være med
docs-field-limit = Flest målinger som skal være med
docs-field-profile = Adressen til en profil
docs-field-url = Adressen til kodesettet, kodeverket eller tabellen
docs-field-filter = Ord som koden eller teksten må ha
docs-field-offset = Hvor mange som hoppes over
docs-field-count = Flest koder
docs-field-activeOnly = Om bare aktive koder skal være med
docs-field-system = Adressen til kodeverket
docs-field-display = En tekst som kan høre til koden
docs-field-property = En egenskap som skal være med
docs-field-codeA = Den ene koden
docs-field-codeB = Den andre koden
docs-field-source = Adressen til kodesettet koden er fra
docs-field-target = Adressen til kodesettet svaret skal være fra
docs-field-targetsystem = Adressen til kodeverket svaret skal være fra
docs-field-reverse = Om det skal oversettes tilbake
