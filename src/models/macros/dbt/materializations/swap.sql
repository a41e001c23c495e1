{# Drops what a build that died may have left under these names. #}
{% macro _drop_leftovers(relations) %}
    {% for leftover in relations %}
        {% do drop_relation_if_exists(load_cached_relation(leftover)) %}
    {% endfor %}
{% endmacro %}

{# Moves the existing relation to the backup, unless a hook has dropped it, and the built one to the target.
   Returns the relation that was moved away, or none. #}
{% macro _swap_in(existing, built, target, backup) %}
    {% set moved = none if existing is none else load_cached_relation(existing) %}
    {% if moved is not none %}
        {% do adapter.rename_relation(moved, backup) %}
    {% endif %}
    {% do adapter.rename_relation(built, target) %}
    {% do return(moved) %}
{% endmacro %}
