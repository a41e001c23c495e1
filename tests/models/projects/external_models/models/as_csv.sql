{{ config(format='csv', delimiter='|', location='as_csv.csv', csv_read_options={'delim': '|', 'all_varchar': true}) }}
select * from {{ ref('given') }}
