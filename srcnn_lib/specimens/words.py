"""The committed vocabulary of the specimen cards: one set of words per pool, disjoint from the others.

Every person, place and state is invented. Names are a stem plus an ending, so that a short list gives
some thousands of names; they are plain ASCII, since the OCR judges are scored on them letter by letter.
Labels are real words, in languages that no other pool uses.
"""

from dataclasses import dataclass
from itertools import product

FIELDS = (
    "surname", "given", "birth_date", "birth_place", "nationality", "sex", "height", "number",
    "personal_no", "issued", "expires", "authority", "address", "eyes", "profession",
)  # fmt: skip


@dataclass(frozen=True)
class Words:
    """The words of one pool. Stems and endings are combined freely; the rest is used as it stands."""

    surnames: tuple[tuple[str, ...], tuple[str, ...]]
    givens: tuple[tuple[str, ...], tuple[str, ...]]
    towns: tuple[tuple[str, ...], tuple[str, ...]]
    streets: tuple[str, ...]
    offices: tuple[str, ...]
    eyes: tuple[str, ...]
    professions: tuple[str, ...]
    states: tuple[tuple[str, str], ...]  # name and three-letter code, neither of a real state
    realms: tuple[str, ...]  # how a state calls itself; {} stands for its name
    documents: tuple[str, ...]
    stamp: str
    months: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]  # one tuple per language, in the order of FIELDS

    def vocabulary(self) -> set[str]:
        """Every word that a card of this pool can show, in lower case, single letters left out."""
        names = (self.surnames, self.givens, self.towns)
        phrases = [stem + ending for stems, endings in names for stem, ending in product(stems, endings)]
        phrases += [*self.streets, *self.offices, *self.eyes, *self.professions, *self.months]
        phrases += [*self.documents, *(realm.format("") for realm in self.realms)]
        phrases += [text for state in self.states for text in state]
        phrases += [self.stamp, *(label for language in self.labels for label in language)]
        words = " ".join(phrases).replace("'", " ").replace(".", " ").replace("-", " ").casefold().split()
        return {word for word in words if len(word) > 1}


def _parts(stems: str, endings: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(stems.split()), tuple(endings.split())


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


WORDS = {
    "train": Words(
        surnames=_parts(
            "Alder Barrow Calder Dunn Elling Fair Garrow Hather Ingle Kessel Lander Marl Norring Ost Pell "
            "Quill Ravens Sander Thorn Under Varr Wester Yarrow Zell Birken Cran Dorn Eschen Flint Grau",
            "by croft dale fold garth ham lock mere nach ridge shaw stedt ton ward wick worth zweig",
        ),
        givens=_parts(
            "Ada Bel Cor Dari El Flor Gis Har Isa Jul Kat Lu Mari Nat Or Phil Ros Sel Theo Ul Vin Wil",
            "bert bella dine lind mina mond nette rich ric sabel sine thea trude ward win",
        ),
        towns=_parts(
            "Ash Bram Clay Dunmar Elm Frost Greven Holm Kirch Linden Mond Neu Oster Pfau Quell Stein Tann Wald",
            "bourg brunn cester feld furt gate haven hausen mouth port stadt ville well",
        ),
        streets=_list(
            "Mill Lane, Chapel Row, Rue Basse, Rue Haute, Lindenallee, Am Graben, Calle Larga, "
            "Via Nuova, Harbour Street, Orchard Close, Place Verte, Gartenweg, Kerkpad, Plaza "
            "Menor"
        ),
        offices=_list("Registry, Town Hall, Prefecture, Landratsamt, Einwohneramt, Comisaria, Questura, Gemeentehuis"),
        eyes=_list("brown, blue, green, grey, hazel, black"),
        professions=_list("carpenter, teacher, nurse, baker, engineer, gardener, musician, printer, tailor, pilot"),
        states=(
            ("Averland", "AVQ"),
            ("Morvenia", "MVZ"),
            ("Castelmar", "CXM"),
            ("Tessaly", "TSQ"),
            ("Grauwald", "GXW"),
            ("Belisle", "BXI"),
        ),
        realms=_list("Republic of {}, Kingdom of {}, Principality of {}, Federation of {}"),
        documents=_list(
            "IDENTITY CARD, RESIDENCE PERMIT, DRIVING LICENCE, PASSPORT, CARTE D'IDENTITE, "
            "PERSONALAUSWEIS, PERMISO DE RESIDENCIA, CARTA D'IDENTITA, IDENTITEITSKAART"
        ),
        stamp="SPECIMEN",
        months=_list("JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC"),
        labels=(
            _list(
                "Surname, Given names, Date of birth, Place of birth, Nationality, Sex, Height, Document "
                "number, Personal number, Date of issue, Date of expiry, Authority, Residence, Colour of "
                "eyes, Profession"
            ),
            _list(
                "Nom, Prénoms, Né le, Lieu de naissance, Nationalité, Sexe, Taille, Numéro du titre, "
                "Matricule, Délivré le, Expire le, Autorité, Domicile, Couleur des yeux, Métier"
            ),
            _list(
                "Familienname, Vornamen, Geburtsdatum, Geburtsort, Staatsangehörigkeit, Geschlecht, "
                "Größe, Ausweisnummer, Kennnummer, Ausgestellt am, Gültig bis, Behörde, Anschrift, "
                "Augenfarbe, Beruf"
            ),
            _list(
                "Apellidos, Nombre, Fecha de nacimiento, Lugar de nacimiento, Nacionalidad, Género, "
                "Estatura, Número de soporte, Clave única, Expedición, Caducidad, Expedido por, "
                "Dirección, Ojos, Oficio"
            ),
            _list(
                "Cognome, Nomi, Nato il, Luogo di nascita, Cittadinanza, Sesso, Statura, Sigla carta, "
                "Codice fiscale, Rilasciata il, Scadenza, Autorità, Indirizzo, Occhi, Professione"
            ),
            _list(
                "Achternaam, Voornamen, Geboortedatum, Geboorteplaats, Nationaliteit, Geslacht, Lengte, "
                "Documentnummer, Burgerservicenummer, Afgiftedatum, Geldig tot, Instantie, Woonplaats, "
                "Ogen, Beroep"
            ),
        ),
    ),
    "validation": Words(
        surnames=_parts(
            "Ahl Berg Ceder Eken Fager Gran Hjort Jung Kall Lill Myr Norr Ros Sjo Tall Vik Wall Asp Bjork Dal",
            "kvist strand gren blom lund qvist sten vall mark rup sson holt hjelm",
        ),
        givens=_parts(
            "Aino Bri Ce Doro Ei Fre Gud Hil Ing Jor Kai Lei Mai Nil Oili Pir Rag Sig Tor Unn",
            "dvik lla gitte jukka kki marja mund nar rik ska stein vald veig vor",
        ),
        towns=_parts(
            "Alvs Bjarn Fager Gran Hamm Jarv Kors Lapp Mell Nybo Orre Pors Rauma Skog Tuna Uddes",
            "backa vik kulla lahti lax mossa niemi nas sund torp ranta fors",
        ),
        streets=_list(
            "Storgatan, Kyrkostigen, Rantatie, Metsakatu, Pikk tee, Aia tanav, Hamngatan, "
            "Torikatu, Skolvagen, Kivipolku, Mere puiestee"
        ),
        offices=_list("Polisen, Skatteverket, Poliisi, Maistraatti, Politsei, Linnavalitsus"),
        eyes=_list("bruna, gröna, siniset, harmaat, pruunid, hallid"),
        professions=_list("snickare, bagare, opettaja, puuseppä, arst, kalur, muusikko, tecknare"),
        states=(("Nordholmen", "NXH"), ("Suursaari", "SXU"), ("Vesterlund", "VQL"), ("Kaljumaa", "KXJ")),
        realms=_list("Konungariket {}, {} tasavalta, {} Vabariik, Storfurstendömet {}"),
        documents=_list("IDENTITETSKORT, HENKILÖKORTTI, ISIKUTUNNISTUS, KÖRKORT, PASSI, UPPEHÅLLSKORT"),
        stamp="MALLIKAPPALE",
        months=_list("tammi, helmi, maalis, huhti, touko, kesä, heinä, elo, syys, loka, marras, joulu"),
        labels=(
            _list(
                "Efternamn, Förnamn, Födelsedatum, Födelseort, Medborgarskap, Kön, Längd, Kortnummer, "
                "Personnummer, Utfärdat den, Giltigt till, Utfärdare, Bostadsort, Ögonfärg, Yrke"
            ),
            _list(
                "Sukunimi, Etunimet, Syntymäaika, Syntymäpaikka, Kansalaisuus, Sukupuoli, Pituus, Kortin "
                "nro, Henkilötunnus, Myönnetty, Voimassa asti, Viranomainen, Kotipaikka, Silmät, Ammatti"
            ),
            _list(
                "Perekonnanimi, Eesnimi, Sünniaeg, Sünnikoht, Kodakondsus, Sugu, Pikkus, Dokumendi nr, "
                "Isikukood, Välja antud, Kehtiv kuni, Asutus, Elukoht, Silmade värv, Amet"
            ),
        ),
    ),
    "test": Words(
        surnames=_parts(
            "Baran Cserny Demir Fodor Gorsk Halasz Jawor Kalin Lewand Mazur Nagy Orban Polat Rado Sobol Toth "
            "Urban Vasar Wrob Yildir",
            "czak escu ewicz helyi ik ka nek nyi oglu ovan owski ulea yan",
        ),
        givens=_parts(
            "Ag Bog Cez Dra Emi Fer Grz Hen Ilo Jad Kr Laz Mil Nic Oze Pav Rad Sta Tud Zof",
            "ana dan egor enc goda gomir ika islav iusz olae omil onia ulla",
        ),
        towns=_parts(
            "Bia Ceb Dob Fel Giz Hor Jaz Kal Lip Mak Nem Olt Pod Raj Sze Tam Ujv Zam",
            "lowice bora csaba esti gora hely iste krow mezo nica sova szeg var",
        ),
        streets=_list(
            "ulica Polna, ulica Lesna, Fo utca, Kossu ter, Strada Noua, Aleea Teilor, Gul sokak, "
            "Cinar caddesi, Dlouha cesta, Zahradni rad, Kert koz"
        ),
        offices=_list("Starostwo, Burmistrz, Jegyzo, Varoshaza, Primaria, Politia, Kaymakamlik, Magistrat"),
        eyes=_list("piwne, zielone, barna, albastri, kahverengi, modré"),
        professions=_list("stolarz, piekarz, tanár, kertész, croitor, zidar, marangoz, berber, kovář"),
        states=(("Zalesia", "ZQL"), ("Karadag", "KQD"), ("Tiszavar", "TXV"), ("Moldavara", "MQV"), ("Horany", "HXN")),
        realms=_list("Rzeczpospolita {}, {} Cumhuriyeti, {} Köztársaság, Republica {}, Spolkova zeme {}"),
        documents=_list(
            "DOWÓD OSOBISTY, KIMLIK KARTI, SZEMÉLYI IGAZOLVÁNY, BULETIN IDENTITATE, OBČANSKÝ PRŮKAZ, PRAWO JAZDY"
        ),
        stamp="WZÓR MINTA",
        months=_list("I, II, III, IV, V, VI, VII, VIII, IX, X, XI, XII"),
        labels=(
            _list(
                "Nazwisko, Imiona, Data urodzenia, Miejsce urodzenia, Obywatelstwo, Płeć, Wzrost, Numer "
                "dowodu, Numer ewidencyjny, Data wydania, Termin ważności, Organ wydający, Adres "
                "zamieszkania, Kolor oczu, Zawód"
            ),
            _list(
                "Soyadı, Adı, Doğum tarihi, Doğum yeri, Uyruğu, Cinsiyeti, Boyu, Seri no, Kimlik no, "
                "Veriliş tarihi, Son geçerlilik, Veren makam, İkametgah, Göz rengi, Mesleği"
            ),
            _list(
                "Családi név, Utónév, Születési idő, Születési hely, Állampolgárság, Neme, Magasság, "
                "Okmányazonosító, Személyi szám, Kiállítás kelte, Érvényességi idő, Kiállító hatóság, "
                "Lakcím, Szemszín, Foglalkozás"
            ),
            _list(
                "Numele, Prenumele, Născut la, Locul nașterii, Cetățenia, Sexul, Înălțimea, Seria, Cod "
                "numeric, Eliberat la, Valabil până, Emitent, Domiciliul, Ochii, Meseria"
            ),
            _list(
                "Příjmení, Jméno, Datum narození, Místo narození, Státní občanství, Pohlaví, Výška, "
                "Číslo průkazu, Rodné číslo, Datum vydání, Platnost, Vydal úřad, Trvalý pobyt, Barva "
                "očí, Povolání"
            ),
        ),
    ),
}
