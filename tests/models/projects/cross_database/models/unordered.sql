select {{ dbt.listagg('word') }} as words, {{ dbt.listagg('word', "','", none, 2) }} as two_words
from (select 'a' as word) as given
